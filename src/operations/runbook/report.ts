/** What came of a recovery or a rehearsal: each step with its time against what it may take, what people said, and the clock of the whole. */
import { randomBytes } from 'node:crypto';
import { shellCommand } from '../../base/shell-words.ts';
import { readRunbookReports, recordRunbookReport } from '../../repository/meta-runbooks.ts';
import type { Session } from '../session.ts';
import { maskText, maskWords } from './mask.ts';
import type { PlannedStep, RunbookMode } from './steps.ts';

export type StepOutcome = 'done' | 'failed' | 'skipped' | 'not reached';

export interface StepReport {
  readonly number: number;
  readonly title: string;
  readonly kind: 'run' | 'hook' | 'check' | 'confirm';
  /** The command as a shell would take it; the question of a confirmation. */
  readonly what: string;
  readonly budget_s: number;
  readonly outcome: StepOutcome;
  /** Null when it did not begin. */
  readonly started: string | null;
  readonly duration_s: number | null;
  /** It took longer than it may. */
  readonly late: boolean;
  readonly message: string | null;
  /** Who confirmed. */
  readonly by: string | null;
}

export interface RunbookNote {
  readonly time: string;
  readonly by: string;
  readonly text: string;
}

/** The members are those of `runbook run --json` and `runbook drill --json`. */
export interface RunbookReport {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly app: string;
  readonly mode: RunbookMode;
  readonly target: string;
  readonly outcome: 'done' | 'failed';
  readonly started: string;
  readonly ended: string;
  readonly duration_s: number;
  readonly rto_objective_s: number;
  readonly within_objective: boolean;
  readonly by: string;
  readonly steps: readonly StepReport[];
  readonly notes: readonly RunbookNote[];
}

export function newReportId(): string {
  return randomBytes(8).toString('hex');
}

/** The command line as a person would type it into a shell, but for secrets in it. */
export function describeAction({ action }: PlannedStep): string {
  if (action.do === 'confirm') return maskText(action.question);
  const words = action.do === 'run' ? ['holdfast', ...action.words] : action.words;
  return shellCommand(maskWords(words));
}

export async function keepReport({ repository }: Session, report: RunbookReport): Promise<void> {
  const { id, app } = report;
  await recordRunbookReport(repository, { id, app, report: { ...report } });
}

/** Oldest first. */
export async function listRunbookReports({ repository }: Session, app: string): Promise<readonly RunbookReport[]> {
  const stored = await readRunbookReports(repository, app);
  return stored.flatMap(({ report }) => (isReport(report) ? [report as unknown as RunbookReport] : []));
}

function isReport(value: Readonly<Record<string, unknown>>): boolean {
  const texts = ['id', 'app', 'mode', 'target', 'outcome', 'started', 'ended', 'by'];
  return (
    texts.every((name) => typeof value[name] === 'string') &&
    typeof value.duration_s === 'number' &&
    typeof value.rto_objective_s === 'number' &&
    Array.isArray(value.steps) &&
    Array.isArray(value.notes)
  );
}
