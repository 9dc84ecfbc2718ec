/** Lets go of what is old, a little at a time, so that the catalog of a service that runs for years stays small. */
import { sql } from 'kysely';
import { idFloor } from '../base/ids.ts';
import type { CatalogDb } from './database.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** How long what is kept, in ms; the guide says the same. Points, schedules, accounts, the audit log and alerts that are open stay. */
export const KEPT = {
  events: 14 * DAY,
  runLog: 90 * DAY,
  /** Runs that are over, with their steps; the audit log says for ever who asked for what. */
  runs: 3 * 365 * DAY,
  /** Every figure; later the last of each day. */
  everyMeasurement: 30 * DAY,
  measurements: 3 * 365 * DAY,
  idempotency: DAY,
  deliveries: 90 * DAY,
  alerts: 365 * DAY,
} as const;

/** Rows that one statement deletes: others get their turn in between. */
const ROWS = 5_000;
/** Statements of one kind in one turn. */
const TURNS = 40;

export type Swept = Readonly<Record<keyof typeof KEPT, number>>;

/** One turn of it; to be done every hour by the process that has that role. How many rows went, by kind. */
export async function sweep(db: CatalogDb, now: number): Promise<Swept> {
  const runs = idFloor(now - KEPT.runs);
  const before = (kept: keyof typeof KEPT) => sql`${now - KEPT[kept]}`;
  const over = sql`state in ('succeeded', 'partial', 'failed', 'cancelled', 'skipped')`;
  await repeat(db, 'run_steps', ['run_id', 'attempt', 'seq'], sql`run_id < ${runs}`);
  await repeat(db, 'run_inputs', ['run_id', 'seq'], sql`run_id < ${runs}`);
  return {
    events: await repeat(db, 'events', ['seq'], sql`at < ${before('events')}`),
    runLog: await repeat(db, 'run_log', ['run_id', 'seq'], sql`run_id < ${idFloor(now - KEPT.runLog)}`),
    runs: await repeat(db, 'runs', ['id'], sql`id < ${runs} and ${over}`),
    everyMeasurement: await thin(db, now),
    measurements: await repeat(
      db,
      'measurements',
      ['name', 'app', 'storage', 'at'],
      sql`at < ${before('measurements')}`,
    ),
    idempotency: await repeat(db, 'idempotency', ['actor', 'key'], sql`created_at < ${before('idempotency')}`),
    deliveries: await repeat(
      db,
      'deliveries',
      ['id'],
      sql`created_at < ${before('deliveries')} and state <> 'pending'`,
    ),
    alerts: await repeat(db, 'alerts', ['id'], sql`last_at < ${before('alerts')} and state = 'RESOLVED'`),
  };
}

/** Of the days that are long past only the last figure of each series stays. */
function thin(db: CatalogDb, now: number): Promise<number> {
  const day = sql.lit(DAY); // a parameter is a fraction to SQLite, and so would be what it divides
  return repeat(
    db,
    'measurements',
    ['name', 'app', 'storage', 'at'],
    sql`at < ${now - KEPT.everyMeasurement} and exists (
      select 1 from measurements later
      where later.name = measurements.name and later.app = measurements.app and later.storage = measurements.storage
        and later.at > measurements.at and later.at < (measurements.at / ${day} + 1) * ${day}
    )`,
  );
}

async function repeat(
  db: CatalogDb,
  table: string,
  key: readonly string[],
  where: ReturnType<typeof sql>,
): Promise<number> {
  const names = sql.join(key.map((column) => sql.ref(column)));
  const some = sql`select ${names} from ${sql.table(table)} where ${where} limit ${ROWS}`;
  let gone = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const { numAffectedRows = 0n } = await sql`delete from ${sql.table(table)} where (${names}) in (${some})`.execute(
      db,
    );
    gone += Number(numAffectedRows);
    if (numAffectedRows < BigInt(ROWS)) break;
  }
  return gone;
}
