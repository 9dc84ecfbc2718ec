/** The runbook, and the report of a recovery, as documents to be read and printed. */
import { formatDuration } from '../../base/durations.ts';
import { formatUtc } from '../../base/relative-time.ts';
import type { Block, KitDocument, Section } from '../kit/sections.ts';
import { describeAction, type RunbookReport, type StepReport } from './report.ts';
import type { PlannedStep } from './steps.ts';

export interface RunbookFacts {
  readonly app: string;
  readonly objectiveMs: number;
  /** Of the configuration, absolute. */
  readonly directory: string;
}

const text = (words: string): Block => ({ kind: 'text', text: words });
const facts = (...rows: (readonly [string, string])[]): Block => ({ kind: 'facts', rows });

/** To be followed by hand when nothing carries it out. */
export function runbookDocument(
  steps: readonly PlannedStep[],
  { app, objectiveMs, directory }: RunbookFacts,
): KitDocument {
  return {
    title: `Runbook: ${app}`,
    subtitle: `To be back within ${formatDuration(objectiveMs)}; ${steps.length} steps, each with the time it may take`,
    sections: [
      {
        title: 'How to follow it',
        blocks: [
          text(
            '"holdfast runbook run" carries it out and keeps the clock. By hand, the commands below do the same, in order.',
          ),
          text(
            `They belong to the configuration in ${directory}. Without that machine, the recovery kit tells how to begin with a storage and the password alone. Every point holds this page: "holdfast runbook show --stored" prints it there.`,
          ),
        ],
      },
      ...steps.map((step) => planned(step)),
    ],
  };
}

function planned(step: PlannedStep): Section {
  const { number, title, budgetMs, action } = step;
  const what: Block =
    action.do === 'confirm' ? text(describeAction(step)) : { kind: 'commands', lines: [describeAction(step)] };
  const again = action.do === 'check' ? [text('Again until it ends with 0, or the time is over.')] : [];
  return {
    title: `${number}. ${title} (${formatDuration(budgetMs)})`,
    blocks: [what, ...again, facts(['begun', '________'], ['done', '________'], ['by', '________________'])],
  };
}

export function reportDocument(report: RunbookReport): KitDocument {
  const what = report.mode === 'drill' ? 'Drill' : 'Recovery';
  return {
    title: `${what}: ${report.app}`,
    subtitle: `Report ${report.id}: ${describeReport(report)}`,
    sections: [
      {
        title: 'In short',
        blocks: [
          facts(
            ['outcome', report.outcome],
            ['restored', report.target],
            ['begun', formatUtc(Date.parse(report.started))],
            ['ended', formatUtc(Date.parse(report.ended))],
            ['took', formatDuration(report.duration_s * 1000)],
            [
              'promised',
              `${formatDuration(report.rto_objective_s * 1000)}: ${report.within_objective ? 'kept' : 'not kept'}`,
            ],
            ['carried out by', report.by],
          ),
        ],
      },
      ...report.steps.map(done),
      ...(report.notes.length === 0
        ? []
        : [{ title: 'Notes', blocks: report.notes.map(({ time, by, text: said }) => text(`${time} ${by}: ${said}`)) }]),
    ],
  };
}

function done(step: StepReport): Section {
  const took = step.duration_s === null ? [] : [['took', tookText(step)] as const];
  const more = [
    ...(step.by === null ? [] : [['confirmed by', step.by] as const]),
    ...(step.message === null ? [] : [['said', step.message] as const]),
  ];
  const what: Block = step.kind === 'confirm' ? text(step.what) : { kind: 'commands', lines: [step.what] };
  return { title: `${step.number}. ${step.title}`, blocks: [what, facts(['outcome', step.outcome], ...took, ...more)] };
}

function tookText({ duration_s, budget_s, late }: StepReport): string {
  return `${formatDuration((duration_s ?? 0) * 1000)} of ${formatDuration(budget_s * 1000)}${late ? ', too long' : ''}`;
}

/** `done in 12 min; 1 h is promised`. */
export function describeReport({ outcome, duration_s, rto_objective_s, steps }: RunbookReport): string {
  const took = formatDuration(duration_s * 1000);
  const failed = steps.find((step) => step.outcome === 'failed');
  if (outcome === 'failed') return `failed at step ${failed?.number} (${failed?.title}) after ${took}`;
  return `done in ${took}; ${formatDuration(rto_objective_s * 1000)} is promised`;
}
