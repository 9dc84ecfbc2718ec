/** The runbook, and the report of a recovery, as documents to be read and printed. */
import { formatDuration } from '../../base/durations.ts';
import { type State, timeOnPage } from '../../base/page.ts';
import type { Block, KitDocument, Section, StepDone } from '../kit/document.ts';
import { describeAction, type RunbookReport, type StepReport } from './report.ts';
import type { PlannedStep } from './steps.ts';

export interface RunbookFacts {
  readonly app: string;
  readonly objectiveMs: number;
  /** Of the configuration, absolute. */
  readonly directory: string;
}

const text = (words: string): Block => ({ kind: 'text', text: words });
const blanks = (...labels: string[]): Block => ({ kind: 'blanks', labels });

/** To be followed by hand when nothing carries it out. */
export function runbookDocument(
  steps: readonly PlannedStep[],
  { app, objectiveMs, directory }: RunbookFacts,
): KitDocument {
  const promised = formatDuration(objectiveMs);
  return {
    title: `Runbook: ${app}`,
    kicker: 'Holdfast · what to do on the worst day',
    subtitle: `To be back within ${promised}; ${steps.length} steps, each with the time it may take`,
    sections: [
      {
        title: 'How to follow it',
        blocks: [
          text(
            'Do not hurry: restoring changes no backup, and what the app holds now is kept beside what replaces it. "holdfast runbook run" carries the steps out and keeps the clock. By hand, the commands below do the same, in order.',
          ),
          text(
            `They belong to the configuration in ${directory}. Without that machine, the recovery kit tells how to begin with a storage and the password alone. Every point holds this page: "holdfast runbook show --stored" prints it there.`,
          ),
          ...(steps.some(restoresNewestCommit) ? [text(NEWEST_COMMIT)] : []),
          blanks('noticed at', `to be back by (${promised} later)`, 'decided by'),
        ],
      },
      ...steps.map((step, at) => planned(step, steps.slice(0, at + 1))),
    ],
  };
}

const NEWEST_COMMIT =
  'With "--at latest" the database comes back to its newest archived commit. Should that not be possible, "latest" instead of it means the newest point: "holdfast runbook run latest".';

function restoresNewestCommit({ action }: PlannedStep): boolean {
  return 'words' in action && action.words.some((word, at) => word === 'latest' && action.words[at - 1] === '--at');
}

function planned(step: PlannedStep, upToIt: readonly PlannedStep[]): Section {
  const { number, title, budgetMs, action } = step;
  const what: Block =
    action.do === 'confirm' ? text(describeAction(step)) : { kind: 'commands', lines: [describeAction(step)] };
  const again = action.do === 'check' ? [text('Again until it ends with 0, or the time is over.')] : [];
  const due = formatDuration(upToIt.reduce((sum, each) => sum + each.budgetMs, 0));
  return {
    title: `${number}. ${title} (${formatDuration(budgetMs)})`,
    blocks: [what, ...again, blanks('begun at', `done at (due: start + ${due})`, 'by')],
  };
}

export function reportDocument(report: RunbookReport): KitDocument {
  const isDrill = report.mode === 'drill';
  return {
    title: `${isDrill ? 'Drill' : 'Recovery'}: ${report.app}`,
    kicker: `Holdfast · report ${report.id}`,
    subtitle: `Begun ${timeOnPage(report.started)}, by ${report.by}`,
    verdict: verdictOf(report),
    sections: [
      {
        title: 'In short',
        blocks: [
          {
            kind: 'facts',
            rows: [
              ['App', report.app],
              [isDrill ? 'Rehearsed with' : 'Restored', report.target],
              ['Begun', timeOnPage(report.started)],
              ['Ended', timeOnPage(report.ended)],
              ['Took', formatDuration(report.duration_s * 1000)],
              [
                'Promised',
                `${formatDuration(report.rto_objective_s * 1000)}: ${report.within_objective ? 'kept' : 'not kept'}`,
              ],
              ['Carried out by', report.by],
            ],
          },
        ],
      },
      { title: 'The steps', blocks: [{ kind: 'steps', steps: report.steps.map(done) }] },
      ...(report.notes.length === 0
        ? []
        : [
            {
              title: 'Notes',
              blocks: report.notes.map(({ time, by, text: said }) => text(`${timeOnPage(time)}, ${by}: ${said}`)),
            },
          ]),
      ...(isDrill ? [{ title: 'What this does not show', blocks: [notShown(report)] }] : []),
    ],
    signed: true,
  };
}

function verdictOf(report: RunbookReport): NonNullable<KitDocument['verdict']> {
  const { outcome, mode, duration_s, rto_objective_s, within_objective, steps } = report;
  const [took, promised] = [formatDuration(duration_s * 1000), formatDuration(rto_objective_s * 1000)];
  const failed = steps.find((step) => step.outcome === 'failed');
  if (outcome === 'failed') {
    const where = failed === undefined ? 'Failed' : `Failed at step ${failed.number}`;
    const why = failed === undefined ? '' : `: ${failed.title}`;
    return { state: 'bad', headline: where, sentence: `After ${took}${why}. ${promised} is promised.` };
  }
  const word = mode === 'drill' ? 'Rehearsed' : 'Done';
  if (!within_objective)
    return {
      state: 'warn',
      headline: `${word}, later than promised`,
      sentence: `It took ${took}; ${promised} is promised.`,
    };
  return { state: 'good', headline: `${word} in time`, sentence: `It took ${took}; ${promised} is promised.` };
}

function notShown({ steps }: RunbookReport): Block {
  const left = steps.filter(({ outcome }) => outcome === 'skipped').map(({ number }) => number);
  return {
    kind: 'list',
    sentences: [
      ...(left.length === 0 ? [] : [`Steps that were left out: ${left.join(', ')}.`]),
      'What a step does on the day itself where it did something else here: the commands shown are those of the drill.',
      'How long it takes to notice a disaster, to decide, and to get a machine. The time is that of this machine and these storages.',
    ],
  };
}

const STATES: Readonly<Record<StepReport['outcome'], State>> = {
  ...{ done: 'good', failed: 'bad', skipped: 'rest', 'not reached': 'rest' },
};

function done(step: StepReport): StepDone {
  const { number, title, what, kind, outcome, late, duration_s, budget_s, by, message } = step;
  return {
    ...{ number, title, what, isCommand: kind !== 'confirm' },
    state: outcome === 'done' && late ? 'warn' : (STATES[outcome] ?? 'rest'),
    outcome: late ? `${outcome}, too long` : outcome,
    took: duration_s === null ? '–' : formatDuration(duration_s * 1000),
    mayTake: formatDuration(budget_s * 1000),
    remarks: [...(by === null ? [] : [`confirmed by ${by}`]), ...(message === null ? [] : [message])],
  };
}

/** `done in 12 min; 1 h is promised`. */
export function describeReport({ outcome, duration_s, rto_objective_s, steps }: RunbookReport): string {
  const took = formatDuration(duration_s * 1000);
  const failed = steps.find((step) => step.outcome === 'failed');
  if (outcome === 'failed') return `failed at step ${failed?.number} (${failed?.title}) after ${took}`;
  return `done in ${took}; ${formatDuration(rto_objective_s * 1000)} is promised`;
}
