/** Reads the figures from the catalog: nothing is counted in memory, so every server tells the same, and a restart forgets nothing. */
import { serviceFacts } from '../../alerts/facts.ts';
import type { Clock } from '../../base/clock.ts';
import { alertCounts, retentionFrozen, SEVERITIES } from '../../catalog/alerts.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { deliveryCounts } from '../../catalog/deliveries.ts';
import { latest } from '../../catalog/measurements.ts';
import { listSchedules } from '../../catalog/schedules.ts';
import { readStatus } from '../../catalog/statuses.ts';
import type { MetricName, Sample } from './names.ts';

export interface CollectWorld {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly apps: readonly string[];
  readonly build: { readonly version: string; readonly node: string };
}

type Figures = readonly Sample[];

export async function collect({ catalog, clock, apps, build }: CollectWorld): Promise<Figures> {
  const { db } = catalog;
  const { version, node } = build;
  return [
    sample('holdfast_build_info', 1, { version, node }),
    ...(await ofRuns(db)),
    ...(await ofPoints(db)),
    ...(await ofStatuses(db, apps)),
    ...(await ofAlerts(db, apps)),
    ...(await ofService(catalog, clock)),
    ...(await ofSchedules(db)),
  ];
}

const GOOD: readonly string[] = ['succeeded', 'partial'];
const ENDED: readonly string[] = ['succeeded', 'partial', 'failed'];
const IDS = 500;

/** The newest run of each app, kind and state is the end of an index. */
async function ofRuns(db: CatalogDb): Promise<Figures> {
  const open = await db
    .selectFrom('runs')
    .select((eb) => ['state', eb.fn.countAll().as('count')])
    .where('state', 'in', ['waiting', 'queued', 'running'])
    .groupBy('state')
    .execute();
  const counts = new Map(open.map(({ state, count }) => [state as string, Number(count)]));
  const newest = await db
    .selectFrom('runs')
    .select((eb) => ['app', 'kind', 'state', eb.fn.max('id').as('id')])
    .where('state', 'in', ['succeeded', 'partial', 'failed'])
    .groupBy(['app', 'kind', 'state'])
    .execute();
  const runs = await runsById(
    db,
    newest.map(({ id }) => id),
  );
  const groups = Map.groupBy(runs, ({ app, kind }) => `${app} ${kind}`);
  return [
    ...['waiting', 'queued', 'running'].map((state) => sample('holdfast_runs', counts.get(state) ?? 0, { state })),
    ...[...groups.values()].flatMap(ofKind),
  ];
}

interface EndedRun {
  readonly id: string;
  readonly app: string;
  readonly kind: string;
  readonly state: string;
  readonly started_at: number | null;
  readonly finished_at: number | null;
}

async function runsById(db: CatalogDb, ids: readonly string[]): Promise<EndedRun[]> {
  const runs: EndedRun[] = [];
  for (let done = 0; done < ids.length; done += IDS) {
    const query = db.selectFrom('runs').select(['id', 'app', 'kind', 'state', 'started_at', 'finished_at']);
    runs.push(...(await query.where('id', 'in', ids.slice(done, done + IDS)).execute()));
  }
  return runs;
}

function ofKind(runs: readonly EndedRun[]): Figures {
  const byAge = [...runs].sort((a, b) => (a.id < b.id ? 1 : -1)).filter(({ state }) => ENDED.includes(state));
  const [last] = byAge;
  const good = byAge.find(({ state }) => GOOD.includes(state));
  if (last === undefined) return [];
  const labels = { app: last.app, kind: last.kind };
  return [
    sample('holdfast_last_end_timestamp_seconds', seconds(last.finished_at), labels),
    sample('holdfast_last_run_succeeded', GOOD.includes(last.state) ? 1 : 0, labels),
    ...(good === undefined
      ? []
      : [
          sample('holdfast_last_success_timestamp_seconds', seconds(good.finished_at), labels),
          sample(
            'holdfast_last_run_duration_seconds',
            seconds((good.finished_at ?? 0) - (good.started_at ?? 0)),
            labels,
          ),
        ]),
  ];
}

async function ofPoints(db: CatalogDb): Promise<Figures> {
  const apps = await db
    .selectFrom('points')
    .select((eb) => ['app', eb.fn.countAll().as('count'), eb.fn.max('time').as('newest')])
    .groupBy('app')
    .execute();
  const sizes = await db
    .selectFrom('points as p')
    .innerJoin(
      (eb) =>
        eb
          .selectFrom('points')
          .select(['app', eb.fn.max('time').as('time')])
          .groupBy('app')
          .as('n'),
      (join) => join.onRef('n.app', '=', 'p.app').onRef('n.time', '=', 'p.time'),
    )
    .select(['p.app', 'p.bytes'])
    .execute();
  const measured = async (name: MetricName, series: string) =>
    (await latest(db, series)).map(({ app, value }) => sample(name, value, { app }));
  return [
    ...apps.flatMap(({ app, count, newest }) => [
      sample('holdfast_points', Number(count), { app }),
      sample('holdfast_newest_point_timestamp_seconds', seconds(Number(newest)), { app }),
    ]),
    ...sizes.map(({ app, bytes }) => sample('holdfast_newest_point_bytes', bytes, { app })),
    ...(await measured('holdfast_backup_added_bytes', 'backup_added_bytes')),
    ...(await measured('holdfast_backup_stored_bytes', 'backup_stored_bytes')),
  ];
}

async function ofStatuses(db: CatalogDb, apps: readonly string[]): Promise<Figures> {
  const figures: Sample[] = [];
  for (const app of apps) {
    const status = await readStatus(db, app);
    if (status === undefined) continue;
    figures.push(sample('holdfast_status_timestamp_seconds', seconds(status.at), { app }));
    for (const objective of records(status.report.objectives)) figures.push(...ofObjective(app, objective));
    for (const wal of records(status.report.wal)) figures.push(...ofWal(app, wal));
  }
  return figures;
}

function ofObjective(app: string, { objective, promised, actual, state }: Readonly<Record<string, unknown>>): Figures {
  const labels = { app, objective: String(objective) };
  const timed = objective !== 'copies';
  return [
    ...(state === 'kept' || state === 'broken'
      ? [sample('holdfast_objective_kept', state === 'kept' ? 1 : 0, labels)]
      : []),
    ...(timed && typeof promised === 'number' ? [sample('holdfast_objective_promised_seconds', promised, labels)] : []),
    ...(timed && typeof actual === 'number' ? [sample('holdfast_objective_actual_seconds', actual, labels)] : []),
  ];
}

function ofWal(app: string, { source, loss, gaps }: Readonly<Record<string, unknown>>): Figures {
  const labels = { app, source: String(source) };
  const lost = (loss as { seconds?: unknown } | undefined)?.seconds;
  return [
    ...(typeof lost === 'number' ? [sample('holdfast_wal_loss_seconds', lost, labels)] : []),
    ...(Array.isArray(gaps) ? [sample('holdfast_wal_gaps', gaps.filter(isOpen).length, labels)] : []),
  ];
}

/** No point follows the gap. */
function isOpen(gap: { readonly next_point?: unknown } | null): boolean {
  return typeof gap?.next_point !== 'string';
}

async function ofAlerts(db: CatalogDb, apps: readonly string[]): Promise<Figures> {
  const counts = new Map((await alertCounts(db)).map(({ severity, state, count }) => [`${severity} ${state}`, count]));
  const frozen: Sample[] = [];
  for (const app of apps)
    frozen.push(sample('holdfast_retention_frozen', (await retentionFrozen(db, app)) === undefined ? 0 : 1, { app }));
  return [
    ...SEVERITIES.flatMap((severity) =>
      ['ACTIVE', 'ACKNOWLEDGED'].map((state) =>
        sample('holdfast_alerts', counts.get(`${severity} ${state}`) ?? 0, { severity, state }),
      ),
    ),
    ...frozen,
    ...(await deliveryCounts(db)).map(({ channel, state, count }) =>
      sample('holdfast_deliveries', count, { channel, state }),
    ),
  ];
}

const STORAGE_STATES = ['good', 'behind', 'damaged', 'unreachable'];

async function ofService(catalog: Catalog, clock: Clock): Promise<Figures> {
  const { storages, capacity, workers, scheduler } = await serviceFacts(catalog, clock);
  const roles = Map.groupBy(workers, ({ role }) => role);
  return [
    ...storages.flatMap(({ storage, state, at }) => [
      ...STORAGE_STATES.map((each) =>
        sample('holdfast_storage_state', each === state ? 1 : 0, { storage, state: each }),
      ),
      sample('holdfast_storage_seen_timestamp_seconds', seconds(at), { storage }),
    ]),
    ...capacity.flatMap(({ storage, used, total }) => [
      sample('holdfast_storage_used_bytes', used, { storage }),
      ...(total === undefined ? [] : [sample('holdfast_storage_capacity_bytes', total, { storage })]),
    ]),
    ...['serve', 'worker'].map((role) => sample('holdfast_workers', roles.get(role)?.length ?? 0, { role })),
    ...workers.map(({ name, role, seenAt }) =>
      sample('holdfast_worker_seen_timestamp_seconds', seconds(seenAt), { worker: name, role }),
    ),
    ...(scheduler === undefined ? [] : [sample('holdfast_scheduler_seen_timestamp_seconds', seconds(scheduler), {})]),
  ];
}

async function ofSchedules(db: CatalogDb): Promise<Figures> {
  const schedules = await listSchedules(db, { enabled: true });
  return schedules.flatMap(({ app, name, kind, nextAt }) =>
    nextAt === undefined
      ? []
      : [sample('holdfast_schedule_next_timestamp_seconds', seconds(nextAt), { app, schedule: name, kind })],
  );
}

function sample(name: MetricName, value: number, labels: Readonly<Record<string, string>>): Sample {
  return { name, value, labels };
}

function seconds(ms: number | null): number {
  return (ms ?? 0) / 1000;
}

function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}
