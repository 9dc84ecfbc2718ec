/**
 * How healthy the protection of an app is, from 0 to 100: every point that is missing has a reason. It is the age of evidence that counts,
 * not good intentions: what nobody looked at for long, restored for long or read back for long costs, too.
 */
import { formatDuration } from '../base/durations.ts';
import type { CatalogDb } from './database.ts';
import { listRuns, type Run } from './runs.ts';
import { type KnownStatus, readStatus } from './statuses.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export interface HealthReason {
  /** A short name that programs may rely on. */
  readonly reason: string;
  /** What it costs. */
  readonly points: number;
  /** For people. */
  readonly what: string;
}

export interface Health {
  readonly app: string;
  /** 0–100. */
  readonly score: number;
  /** The dearest first. They may cost more than a hundred together. */
  readonly reasons: readonly HealthReason[];
}

export interface HealthFacts {
  readonly app: string;
  readonly now: number;
  readonly status: KnownStatus | undefined;
  /** The newest run of the kind that ended, by kind. */
  readonly last: Readonly<Record<string, Run | undefined>>;
}

type Report = Readonly<Record<string, unknown>>;
type Cost = HealthReason | undefined;

const KINDS = ['backup', 'verify', 'check', 'drill'] as const;

export async function appHealth(db: CatalogDb, app: string, now: number): Promise<Health> {
  const ended = await Promise.all(KINDS.map((kind) => lastOf(db, app, kind)));
  const last = Object.fromEntries(KINDS.map((kind, place) => [kind, ended[place]]));
  return judgeHealth({ app, now, status: await readStatus(db, app), last });
}

export function judgeHealth(facts: HealthFacts): Health {
  const reasons = [
    looked(facts),
    ...objectives(facts),
    points(facts),
    proof(facts),
    ...storages(facts),
    failedBackup(facts),
    readBack(facts),
    drill(facts),
  ]
    .filter((cost) => cost !== undefined)
    .sort((a, b) => b.points - a.points);
  const cost = reasons.reduce((sum, reason) => sum + reason.points, 0);
  return { app: facts.app, score: Math.max(0, 100 - cost), reasons };
}

function looked({ status, now }: HealthFacts): Cost {
  if (status === undefined)
    return { reason: 'never_looked', points: 60, what: 'Nobody has looked at the storages yet.' };
  const age = now - status.at;
  if (age < HOUR) return undefined;
  return {
    reason: 'not_looked',
    points: age < DAY ? 10 : 40,
    what: `Nobody has looked at the storages for ${formatDuration(age)}.`,
  };
}

function objectives({ status }: HealthFacts): Cost[] {
  return list(status?.report.objectives).map((each) => {
    if (each.state !== 'broken') return undefined;
    const name = text(each.objective);
    const what = `The objective ${name.toUpperCase()} is broken: ${text(each.because)}`;
    return { reason: `${name}_broken`, points: name === 'rto' ? 20 : 40, what };
  });
}

function points({ status }: HealthFacts): Cost {
  if (status === undefined || number(status.report.points) !== 0) return undefined;
  return { reason: 'no_point', points: 100, what: 'There is no restore point.' };
}

function proof({ status, now }: HealthFacts): Cost {
  if (status === undefined) return undefined;
  const last = record(status.report.last_proof);
  if (last === undefined) return { reason: 'never_proven', points: 20, what: 'No restore has ever been tried.' };
  if (text(last.outcome) !== 'passed')
    return { reason: 'proof_failed', points: 40, what: 'The last proof did not pass.' };
  const age = now - Date.parse(text(last.time));
  if (!(age > 35 * DAY)) return undefined;
  const what = `The last proof is ${formatDuration(age)} old.`;
  return { reason: 'proof_old', points: age > 90 * DAY ? 20 : 10, what };
}

function storages({ status }: HealthFacts): Cost[] {
  const costs: Readonly<Record<string, number>> = { lost: 20, damaged: 25, behind: 5 };
  return list(status?.report.storages).map((each) => {
    const state = text(each.state);
    const cost = costs[state];
    const what = `The storage ${text(each.storage)} is ${state}.`;
    return cost === undefined ? undefined : { reason: `storage_${state}`, points: cost, what };
  });
}

function failedBackup({ last: { backup } }: HealthFacts): Cost {
  if (backup === undefined || backup.state === 'succeeded') return undefined;
  const partial = backup.state === 'partial';
  const why = backup.error?.message ?? '';
  return {
    reason: partial ? 'backup_partial' : 'backup_failed',
    points: partial ? 5 : 15,
    what: `The last backup ${partial ? 'succeeded only in part' : 'failed'}${why === '' ? '.' : `: ${why}`}`,
  };
}

/** A whole check counts as well as a sample. */
function readBack({ last: { verify, check }, now }: HealthFacts): Cost {
  const runs = [verify, check].filter((run) => run !== undefined);
  const good = runs.filter(({ state }) => state === 'succeeded').map(({ finishedAt }) => finishedAt ?? 0);
  const age = now - Math.max(0, ...good);
  if (runs.length > 0 && age < 8 * DAY) return undefined;
  const never = good.length === 0;
  const what = never
    ? 'Nothing has been read back from the storages.'
    : `Nothing was read back for ${formatDuration(age)}.`;
  return { reason: never ? 'never_read_back' : 'not_read_back', points: never ? 10 : 5, what };
}

function drill({ last, now }: HealthFacts): Cost {
  const age = now - (last.drill?.finishedAt ?? 0);
  if (last.drill?.state === 'succeeded' && age < 180 * DAY) return undefined;
  return { reason: 'no_drill', points: 5, what: 'Recovery was not rehearsed in the last half year.' };
}

/** Runs that were not begun or were stopped say nothing. What is checked for all apps belongs to the app "*". */
async function lastOf(db: CatalogDb, app: string, kind: string): Promise<Run | undefined> {
  const state = ['succeeded', 'partial', 'failed'] as const;
  const { runs } = await listRuns(db, { apps: [app, '*'], kind, state, limit: 1 });
  return runs[0];
}

function list(value: unknown): Report[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly unknown[]).map(record).filter((each) => each !== undefined);
}

function record(value: unknown): Report | undefined {
  return typeof value === 'object' && value !== null ? (value as Report) : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
