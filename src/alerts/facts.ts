/** Reads from the catalog what rules look at. Every query goes along an index and is bounded, whatever is in the catalog. */
import { sql } from 'kysely';
import type { Clock } from '../base/clock.ts';
import { given } from '../base/given.ts';
import { retentionFrozen } from '../catalog/alerts.ts';
import { readAuditSight } from '../catalog/audit-sight.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import { CAPACITY, capacityAt, USED } from '../catalog/forecast.ts';
import { latest } from '../catalog/measurements.ts';
import { type Run, toRun } from '../catalog/run.ts';
import { listSchedules } from '../catalog/schedules.ts';
import { readStatus, readStorages } from '../catalog/statuses.ts';
import { listWorkers } from '../catalog/workers.ts';
import type { AppFacts, PointSize, ServiceFacts } from './judge.ts';

const APP_KINDS = ['backup', 'prove', 'restore', 'rows', 'runbook', 'drill'];
const REPOSITORY_KINDS = ['check', 'verify', 'sync'];
const ENDS = ['succeeded', 'partial', 'failed'] as const;
const PER_KIND = 15;
const MOST_OPEN = 100;
const MOST_POINTS = 30;
/** The role that the scheduler holds while it looks at schedules, and for how long it is given each time, ms. */
const SCHEDULER = 'scheduler';
const SCHEDULER_ROLE_MS = 20_000;

export interface KnownApp {
  readonly app: string;
  readonly objectives: { readonly rpo?: number; readonly rto?: number };
}

export async function appFacts(db: CatalogDb, { app, objectives }: KnownApp, now: number): Promise<AppFacts> {
  const ended: Record<string, readonly Run[]> = {};
  for (const kind of app === '*' ? REPOSITORY_KINDS : APP_KINDS) ended[kind] = await endedRuns(db, app, kind);
  const schedules = await listSchedules(db, { app });
  const lastRuns = await runsById(
    db,
    schedules.flatMap(({ lastRun }) => lastRun ?? []),
  );
  return {
    ...{ now, app, objectives, ended, schedules },
    open: await openRuns(db, app),
    lastOf: new Map(lastRuns.flatMap((run) => (run.scheduleId === undefined ? [] : [[run.scheduleId, run]]))),
    sizes: await pointSizes(db, app),
    status: await readStatus(db, app),
    freezing: app === '*' ? undefined : await retentionFrozen(db, app),
  };
}

export async function serviceFacts({ db, dialect }: Catalog, clock: Clock): Promise<ServiceFacts> {
  const now = clock.now();
  const workers = await listWorkers(db);
  const capacities = await latest(db, CAPACITY);
  const capacity = (await latest(db, USED)).map((used) => {
    const { storage, value, at } = used;
    return { storage, used: value, ...given('total', capacityAt(capacities, used)), at };
  });
  const lease = await db.selectFrom('leases').select('until').where('name', '=', SCHEDULER).executeTakeFirst();
  return {
    ...{ now, workers, capacity },
    storages: await readStorages(db),
    clocks: [
      ...(dialect === 'postgres' ? [await databaseClock(db, clock)] : []),
      // who says that it lives is never ahead of us, unless its clock is
      ...workers.map(({ name, seenAt }) => ({ whose: `worker ${name}`, ahead: Math.max(0, seenAt - now) })),
    ],
    audit: await readAuditSight(db),
    scheduler: lease === undefined ? undefined : lease.until - SCHEDULER_ROLE_MS,
  };
}

async function databaseClock(db: CatalogDb, clock: Clock): Promise<ServiceFacts['clocks'][number]> {
  const before = clock.now();
  const { rows } = await sql<{ ms: string }>`select (extract(epoch from clock_timestamp()) * 1000)::text as ms`.execute(
    db,
  );
  const middle = (before + clock.now()) / 2;
  return { whose: 'the database', ahead: Number(rows[0]!.ms) - middle };
}

/** State by state: so each is the end of an index, however many runs there are. */
async function endedRuns(db: CatalogDb, app: string, kind: string): Promise<Run[]> {
  const found: Run[] = [];
  for (const state of ENDS) {
    const rows = await db
      .selectFrom('runs')
      .selectAll()
      .where('app', '=', app)
      .where('kind', '=', kind)
      .where('state', '=', state)
      .orderBy('id', 'desc')
      .limit(PER_KIND)
      .execute();
    found.push(...rows.map(toRun));
  }
  return found.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, PER_KIND);
}

async function openRuns(db: CatalogDb, app: string): Promise<Run[]> {
  const rows = await db
    .selectFrom('runs')
    .selectAll()
    .where('state', 'in', ['queued', 'running'])
    .where('app', '=', app)
    .limit(MOST_OPEN)
    .execute();
  return rows.map(toRun);
}

async function runsById(db: CatalogDb, ids: readonly string[]): Promise<Run[]> {
  if (ids.length === 0) return [];
  return (
    await db
      .selectFrom('runs')
      .selectAll()
      .where('id', 'in', [...ids])
      .execute()
  ).map(toRun);
}

/** What the newest points hold, whole, whatever of it was read anew. */
async function pointSizes(db: CatalogDb, app: string): Promise<PointSize[]> {
  const rows = await db
    .selectFrom('points')
    .select(['id', 'time', 'bytes', 'sources'])
    .where('app', '=', app)
    .orderBy('time', 'desc')
    .orderBy('id', 'desc')
    .limit(MOST_POINTS)
    .execute();
  return rows.map(({ id, time, bytes, sources }) => ({ point: id, time, bytes, sources: sortedNames(sources) }));
}

function sortedNames(json: string): string {
  const names: unknown = JSON.parse(json);
  return Array.isArray(names) ? names.map(String).sort().join(',') : json;
}
