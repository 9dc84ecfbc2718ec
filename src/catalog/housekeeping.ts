/** Lets go of what is old, a little at a time, so that the catalog of a service that runs for years stays small. */
import { setImmediate } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { idFloor } from '../base/ids.ts';
import type { CatalogDb } from './database.ts';
import type { CatalogTables } from './schema.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long what is kept, in ms. Points, schedules, accounts, the audit log, open alerts and whatever is not decided stay. */
export interface KeepTimes {
  readonly events: number;
  readonly logs: number;
  /** Runs that are over, with their steps; the audit log says for ever who asked for what. */
  readonly runs: number;
  /** Every figure; after that the last of each day. */
  readonly figures: number;
  readonly dailyFigures: number;
  readonly deliveries: number;
  /** Alerts that are resolved, mutes that are over. */
  readonly alerts: number;
  /** Approvals that were decided, tokens that ended. */
  readonly approvals: number;
}

/** Answers to requests that may be repeated; the description of the API promises a day. */
const ANSWERS = DAY;
/** Rows that one statement deletes: requests get their turn in between, and wait no longer than for a page of a list. */
const ROWS = 500;
/** Statements of one kind in one turn. */
const TURNS = 400;
/** Figures are thinned out when they come of age; those of longer ago are so already. */
const THINNED = 60 * DAY;

const MEASUREMENT = ['name', 'app', 'storage', 'at'];
const RUN_IS_OVER = sql`state in ('succeeded', 'partial', 'failed', 'cancelled', 'skipped')`;

interface Old {
  readonly table: keyof CatalogTables;
  /** The columns of its primary key. */
  readonly key: readonly string[];
  readonly where: RawBuilder<unknown>;
}

/** How many rows went, by what they were. */
export type Swept = Readonly<Record<keyof ReturnType<typeof oldRows>, number>>;

/** One turn of it; to be done every hour by the process that has that role. */
export async function sweep(db: CatalogDb, keep: KeepTimes, now: number): Promise<Swept> {
  const swept: Record<string, number> = {};
  for (const [what, old] of Object.entries(oldRows(keep, now))) swept[what] = await remove(db, old);
  return swept as Swept;
}

/** What belongs to a run goes before the run, so that a turn that ends early leaves nothing without its run. */
function oldRows(keep: KeepTimes, now: number) {
  const runs = idFloor(now - keep.runs);
  const figures = now - keep.figures;
  /** What was made later is not looked at: ids sort by time. */
  const made = (kept: number) => sql`id < ${idFloor(now - kept)}`;
  const old = (table: Old['table'], key: readonly string[], where: Old['where']): Old => ({ table, key, where });
  return {
    events: old('events', ['seq'], sql`at < ${now - keep.events}`),
    logs: old('run_log', ['run_id', 'seq'], sql`run_id < ${idFloor(now - keep.logs)}`),
    steps: old('run_steps', ['run_id', 'attempt', 'seq'], sql`run_id < ${runs}`),
    inputs: old('run_inputs', ['run_id', 'seq'], sql`run_id < ${runs}`),
    runs: old('runs', ['id'], sql`id < ${runs} and ${RUN_IS_OVER}`),
    figures: old(
      'measurements',
      MEASUREMENT,
      sql`at < ${figures} and at > ${figures - THINNED} and ${isFollowedThatDay()}`,
    ),
    dailyFigures: old('measurements', MEASUREMENT, sql`at < ${now - keep.dailyFigures}`),
    deliveries: old(
      'deliveries',
      ['id'],
      sql`${made(keep.deliveries)} and created_at < ${now - keep.deliveries} and state <> 'pending'`,
    ),
    alerts: old('alerts', ['id'], sql`${made(keep.alerts)} and last_at < ${now - keep.alerts} and state = 'RESOLVED'`),
    mutes: old('mutes', ['id'], sql`until < ${now - keep.alerts}`),
    approvals: old('approvals', ['id'], sql`expires_at < ${now - keep.approvals} and state <> 'pending'`),
    tokens: old('tokens', ['id'], sql`coalesce(revoked_at, expires_at) < ${now - keep.approvals}`),
    sessions: old('sessions', ['hash'], sql`expires_at < ${now}`),
    logIns: old('oidc_logins', ['state'], sql`expires_at < ${now}`),
    answers: old('idempotency', ['actor', 'key'], sql`created_at < ${now - ANSWERS}`),
  };
}

/** Of the days that are long past only the last figure of each series stays. */
function isFollowedThatDay(): RawBuilder<unknown> {
  const day = sql.lit(DAY); // a parameter is a fraction to SQLite, and so would be what it divides
  return sql`exists (
    select 1 from measurements later
    where later.name = measurements.name and later.app = measurements.app and later.storage = measurements.storage
      and later.at > measurements.at and later.at < (measurements.at / ${day} + 1) * ${day}
  )`;
}

async function remove(db: CatalogDb, { table, key, where }: Old): Promise<number> {
  const names = sql.join(key.map((column) => sql.ref(column)));
  const some = sql`select ${names} from ${sql.table(table)} where ${where} limit ${ROWS}`;
  const statement = sql`delete from ${sql.table(table)} where (${names}) in (${some})`;
  let gone = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const { numAffectedRows = 0n } = await statement.execute(db);
    gone += Number(numAffectedRows);
    if (numAffectedRows < BigInt(ROWS)) break;
    await setImmediate();
  }
  return gone;
}
