/** From the runbook of an app to the steps of one recovery or rehearsal: every word of every command filled in. */
import type { AppSettings, RunbookStepSettings } from '../../config/settings.ts';

export type RunbookMode = 'run' | 'drill';

export type StepAction =
  /** A Holdfast command, words after the program's name. */
  | { readonly do: 'run'; readonly words: readonly string[] }
  | { readonly do: 'hook' | 'check'; readonly words: readonly string[] }
  | { readonly do: 'confirm'; readonly question: string };

export interface PlannedStep {
  /** From 1. */
  readonly number: number;
  readonly title: string;
  readonly action: StepAction;
  readonly budgetMs: number;
  /** Not carried out, for this reason. */
  readonly skipped?: string;
}

export interface RunbookRequest {
  readonly app: AppSettings;
  readonly mode: RunbookMode;
  /** Words that say what comes back: `latest`, a point, or `--at T` (`--at latest`: the newest archived commit). */
  readonly target: readonly string[];
  /** A new directory, absolute; absent: over the app, in place. */
  readonly to?: string;
  /** What a drill may write into, absolute. */
  readonly directory: string;
}

const DEFAULT_RTO_MS = 60 * 60_000;

/** How the hour of the objective is shared out: the same parts of a longer or shorter one. */
const SHARE = { validate: 5 / 60, confirm: 5 / 60, restore: 40 / 60, verify: 5 / 60, switchOver: 5 / 60 };

export function objectiveOf(app: AppSettings): number {
  return app.objectives.rto ?? DEFAULT_RTO_MS;
}

/** What is restored when nobody says what: the newest commit where the WAL of the app's database is archived, else the newest point. */
export function newestState({ databases: [only, ...others] }: AppSettings): readonly string[] {
  return only?.archived === true && others.length === 0 ? ['--at', 'latest'] : ['latest'];
}

export function planSteps(request: RunbookRequest): PlannedStep[] {
  const { app } = request;
  const steps = app.runbook?.steps ?? defaultSteps(objectiveOf(app), request.to === undefined);
  return steps.map((step, at) => plan(step, at + 1, request));
}

/** For any app: what its configuration says is enough. */
function defaultSteps(rto: number, inPlace: boolean): RunbookStepSettings[] {
  const part = (share: number) => Math.round(rto * share);
  return [
    {
      title: 'See whether everything can be restored, and from where',
      run: ['restore', '{target}', '{where}', '--dry-run'],
      budget: part(SHARE.validate),
      drill: ['restore', '{target}', '--to', '{directory}/plan', '--dry-run'],
    },
    {
      title: 'Ask whether to begin',
      confirm: inPlace
        ? 'What {app} holds now is put aside and replaced. Is the app stopped, or does its beforeRestore hook stop it?'
        : 'The state is restored into a new directory. Is this the machine it shall run on?',
      budget: part(SHARE.confirm),
      drill: 'skip',
    },
    {
      title: 'Restore',
      run: ['restore', '{target}', '{where}'],
      budget: part(SHARE.restore),
      drill: ['prove', '{target}'],
    },
    ...(inPlace
      ? [
          {
            title: 'See whether the database answers',
            run: ['doctor'],
            budget: part(SHARE.verify),
            drill: 'skip' as const,
          },
        ]
      : []),
    {
      title: 'Switch over',
      confirm: inPlace
        ? 'Does {app} answer at its address, and can somebody log in?'
        : 'Start PostgreSQL on the restored directory and {app} against it. Does it answer, and can somebody log in?',
      budget: part(SHARE.switchOver),
      drill: 'skip',
    },
    ...(inPlace
      ? [
          {
            title: 'Make a restore point of the recovered state',
            run: ['backup', '--label', 'after-recovery', '--reason', 'runbook'],
            budget: part(SHARE.restore),
            drill: 'skip' as const,
          },
        ]
      : []),
  ];
}

function plan(step: RunbookStepSettings, number: number, request: RunbookRequest): PlannedStep {
  const { title, budget } = step;
  const base = { number, title, budgetMs: budget };
  const action = actionOf(step, request);
  if (request.mode === 'run' || step.drill === 'same') return { ...base, action };
  if (Array.isArray(step.drill)) return { ...base, action: withWords(action, step.drill, request) };
  const asks = action.do === 'confirm' && step.drill !== 'skip';
  return asks ? { ...base, action } : { ...base, action, skipped: 'not part of a drill' };
}

function actionOf({ run, hook, check, confirm = '' }: RunbookStepSettings, request: RunbookRequest): StepAction {
  if (run !== undefined) return { do: 'run', words: fill(run, request) };
  if (hook !== undefined) return { do: 'hook', words: fill(hook, request) };
  if (check !== undefined) return { do: 'check', words: fill(check, request) };
  return { do: 'confirm', question: fillText(confirm, request) };
}

function withWords(action: StepAction, words: readonly string[], request: RunbookRequest): StepAction {
  const kind = action.do === 'confirm' ? 'run' : action.do;
  return { do: kind, words: fill(words, request) };
}

/** `{target}` and `{where}` as whole words become several; elsewhere a placeholder is part of its word. */
function fill(words: readonly string[], request: RunbookRequest): string[] {
  return words.flatMap((word) => {
    if (word === '{target}') return request.target;
    if (word === '{where}') return whereOf(request);
    return [fillText(word, request)];
  });
}

function whereOf({ to, app }: RunbookRequest): string[] {
  return to === undefined ? ['--in-place', '--confirm', app.name] : ['--to', to];
}

function fillText(text: string, { app, target, directory, to }: RunbookRequest): string {
  const values = { app: app.name, target: target.join(' '), directory: to ?? directory };
  return text.replace(/\{(app|target|directory)\}/g, (_whole, name: keyof typeof values) => values[name]);
}
