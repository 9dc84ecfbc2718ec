/** What a run did: its steps and its lines, kept for every attempt. Workers hand both over in batches. */
import { given } from '../base/given.ts';
import { heldRun } from './claim.ts';
import { type CatalogDb, storable, within } from './database.ts';
import { appendEvent } from './events.ts';
import type { Run, RunHold } from './run.ts';
import type { RunLogTable, RunStepsTable } from './schema.ts';

/** A step of the present attempt. `seq` orders the steps; saving one again replaces it. Times are ms since the epoch. */
export interface RunStep {
  readonly seq: number;
  /** A short name that programs may rely on. */
  readonly step: string;
  readonly title: string;
  readonly state: RunStepsTable['state'];
  readonly startedAt: number;
  readonly finishedAt?: number;
  readonly bytes?: number;
  readonly items?: number;
  readonly totalBytes?: number;
  readonly totalItems?: number;
  readonly message?: string;
}

export type LogLevel = RunLogTable['level'];

export interface NewLine {
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface LogLine extends NewLine {
  /** Counts the lines of the run, over all attempts, from 1. */
  readonly seq: number;
  readonly attempt: number;
}

export interface RunReport {
  readonly steps?: readonly RunStep[];
  readonly lines?: readonly NewLine[];
  /** Replaces what was told before. */
  readonly progress?: Readonly<Record<string, unknown>>;
}

/** Longest text of a line or a step that is kept, in characters. */
const LONGEST = 10_000;
/** Rows of one insert: SQLite takes 32,766 parameters. */
const ROWS = 500;

/** Writes down what the worker tells, all of it or nothing. False: the claim was lost and nothing is written. */
export async function reportRun(db: CatalogDb, hold: RunHold, report: RunReport, now: number): Promise<boolean> {
  const { steps = [], lines = [], progress } = report;
  return await within(db, async (tx) => {
    const run = await heldRun(tx, hold);
    if (run === undefined) return false;
    for (const step of steps) await saveStep(tx, run, step);
    if (lines.length > 0) await saveLines(tx, run, lines, now);
    if (progress !== undefined) await saveProgress(tx, run, progress, now);
    return true;
  });
}

/** The steps of the run, of every attempt, in their order. */
export async function readSteps(db: CatalogDb, runId: string): Promise<(RunStep & { readonly attempt: number })[]> {
  const query = db.selectFrom('run_steps').selectAll().where('run_id', '=', runId).orderBy('attempt').orderBy('seq');
  return (await query.execute()).map(toStep);
}

export interface LogFilter {
  /** Only lines with a larger number. */
  readonly after?: number;
  readonly limit: number;
  readonly levels?: readonly LogLevel[];
}

/** Lines of the run, the oldest first. */
export async function readLog(db: CatalogDb, runId: string, filter: LogFilter): Promise<LogLine[]> {
  let query = db
    .selectFrom('run_log')
    .selectAll()
    .where('run_id', '=', runId)
    .where('seq', '>', filter.after ?? 0);
  if (filter.levels !== undefined) query = query.where('level', 'in', [...filter.levels]);
  return (await query.orderBy('seq').limit(filter.limit).execute()).map((row) => ({
    seq: row.seq,
    attempt: row.attempt,
    at: row.at,
    level: row.level,
    message: row.message,
    ...given('data', row.data === null ? undefined : (JSON.parse(row.data) as Record<string, unknown>)),
  }));
}

async function saveStep(db: CatalogDb, run: Run, step: RunStep): Promise<void> {
  const values = {
    step: step.step,
    title: cut(step.title),
    state: step.state,
    started_at: step.startedAt,
    finished_at: step.finishedAt ?? null,
    bytes: step.bytes ?? null,
    items: step.items ?? null,
    total_bytes: step.totalBytes ?? null,
    total_items: step.totalItems ?? null,
    message: step.message === undefined ? null : cut(step.message),
  };
  await db
    .insertInto('run_steps')
    .values({ run_id: run.id, attempt: run.attempt, seq: step.seq, ...values })
    .onConflict((conflict) => conflict.columns(['run_id', 'attempt', 'seq']).doUpdateSet(values))
    .execute();
}

async function saveLines(db: CatalogDb, run: Run, lines: readonly NewLine[], now: number): Promise<void> {
  const last = db.selectFrom('run_log').select('seq').where('run_id', '=', run.id).orderBy('seq', 'desc').limit(1);
  const before = (await last.executeTakeFirst())?.seq ?? 0;
  const rows = lines.map((line, place) => ({
    run_id: run.id,
    seq: before + 1 + place,
    attempt: run.attempt,
    at: line.at,
    level: line.level,
    message: cut(line.message),
    data: line.data === undefined ? null : storable(JSON.stringify(line.data)),
  }));
  for (let done = 0; done < rows.length; done += ROWS) {
    await db
      .insertInto('run_log')
      .values(rows.slice(done, done + ROWS))
      .execute();
  }
  const data = { from: before + 1, to: before + lines.length };
  await appendEvent(db, { type: 'run.log', app: run.app, runId: run.id, data }, now);
}

async function saveProgress(db: CatalogDb, run: Run, progress: Readonly<Record<string, unknown>>, now: number) {
  const text = storable(JSON.stringify(progress));
  await db.updateTable('runs').set({ progress: text }).where('id', '=', run.id).execute();
  await appendEvent(db, { type: 'run.progress', app: run.app, runId: run.id, data: progress }, now);
}

function toStep(row: RunStepsTable): RunStep & { readonly attempt: number } {
  return {
    attempt: row.attempt,
    seq: row.seq,
    step: row.step,
    title: row.title,
    state: row.state,
    startedAt: row.started_at,
    ...given('finishedAt', row.finished_at ?? undefined),
    ...given('bytes', row.bytes ?? undefined),
    ...given('items', row.items ?? undefined),
    ...given('totalBytes', row.total_bytes ?? undefined),
    ...given('totalItems', row.total_items ?? undefined),
    ...given('message', row.message ?? undefined),
  };
}

function cut(text: string): string {
  return storable(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
