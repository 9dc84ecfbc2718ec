/** Follows the events of the catalog: which apps have news, who went and came, what checks that count runs are told, how storages were seen. */
import { clear, raise } from '../catalog/alerts.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import { addDelivery } from '../catalog/deliveries.ts';
import { type CatalogEvent, newestEvent, readEvents } from '../catalog/events.ts';
import { holdsLease, type RoleLease } from '../catalog/leases.ts';
import { getRun, type Run } from '../catalog/runs.ts';
import { noteStorages, type StorageSight } from '../catalog/statuses.ts';
import type { AlertPolicy } from '../config/alert-settings.ts';
import { judgeOne, lostWorker } from './judge.ts';
import type { Ping } from './notice.ts';
import { member, numberIn, textIn } from './rules/rule.ts';

const CURSOR = 'alerts.cursor';
const BATCH = 500;
const TYPES = ['run.started', 'run.finished', 'run.skipped', 'worker.joined', 'worker.lost', 'point.added'] as const;

/**
 * Deals with events that came since the last time, at most a batch, and remembers how far it came in the same transaction. The apps that have
 * news; `undefined` when the role was lost. Where nothing was followed before, it begins with what comes next.
 */
export async function followEvents(
  catalog: Catalog,
  lease: RoleLease,
  policy: AlertPolicy,
  now: number,
): Promise<ReadonlySet<string> | undefined> {
  const after = await cursorOf(catalog.db);
  const start = after ?? (await newestEvent(catalog.db));
  const events = after === undefined ? [] : await readEvents(catalog.db, after, BATCH);
  if (events.length === 0 && after !== undefined) return new Set();
  const wanted = events.filter(({ type }) => (TYPES as readonly string[]).includes(type));
  return await catalog.transaction(async (tx) => {
    if (!(await holdsLease(tx, lease))) return undefined;
    for (const event of wanted) await onEvent(tx, event, policy, now);
    await keepCursor(tx, events.at(-1)?.seq ?? start);
    return new Set(wanted.flatMap(({ app }) => app ?? []));
  });
}

async function onEvent(tx: CatalogDb, event: CatalogEvent, policy: AlertPolicy, now: number): Promise<void> {
  if (event.type === 'worker.lost') await onLost(tx, event, policy, now);
  if (event.type === 'worker.joined') await clear(tx, `worker_lost:${textIn(event.data, 'name')}`, now, 'It is back.');
  if (event.type !== 'run.started' && event.type !== 'run.finished') return;
  await ping(tx, event, policy, now);
  if (event.type === 'run.finished') await seeStorages(tx, event);
}

async function onLost(tx: CatalogDb, { data, at }: CatalogEvent, policy: AlertPolicy, now: number): Promise<void> {
  const name = textIn(data, 'name') ?? '?';
  const verdict = lostWorker(name, textIn(data, 'role') ?? 'worker', at - (numberIn(data, 'seenAt') ?? at), at);
  for (const finding of judgeOne(verdict, policy.rules).findings) await raise(tx, finding, now);
}

/** A run that is tried again has not failed yet. */
async function ping(tx: CatalogDb, event: CatalogEvent, { pings }: AlertPolicy, now: number): Promise<void> {
  const { app, runId, data, type } = event;
  const kind = textIn(data, 'kind');
  for (const check of pings) {
    if (check.app !== app || check.run !== kind || runId === undefined) continue;
    const state = textIn(data, 'state');
    if (state === 'cancelled') continue;
    const what = type === 'run.started' ? 'start' : state === 'succeeded' ? 'success' : 'fail';
    const message = textIn(data, 'message');
    const text = [`${kind} of ${app}: run ${runId} ${state ?? 'started'}`, message ?? ''].join('\n').trim();
    const body: Ping = { event: 'ping', ping: what, run: runId, text };
    await addDelivery(tx, { channel: check.channel, event: 'ping', body: JSON.stringify(body) }, now);
  }
}

async function seeStorages(tx: CatalogDb, { runId, at }: CatalogEvent): Promise<void> {
  const run = runId === undefined ? undefined : await getRun(tx, runId);
  const sights = run === undefined ? [] : sightsOf(run);
  if (sights.length > 0) await noteStorages(tx, sights, at);
}

/** How a run that reached out to storages found them. */
function sightsOf({ kind, outcome }: Pick<Run, 'kind' | 'outcome'>): StorageSight[] {
  const storages = Object.entries((member(outcome, 'storages') ?? {}) as Readonly<Record<string, unknown>>);
  if (kind === 'backup')
    return storages.flatMap(([storage, state]): StorageSight[] => {
      if (state === 'complete') return [{ storage, state: 'good' }];
      if (state === 'behind') return [{ storage, state: 'behind' }];
      return typeof state === 'string' ? [{ storage, state: 'unreachable', message: state }] : [];
    });
  if (kind !== 'sync') return [];
  const failures = Object.entries((member(outcome, 'failures') ?? {}) as Readonly<Record<string, unknown>>);
  const failed = new Map(failures.map(([storage, failure]) => [storage, textIn(failure, 'message')]));
  return [
    ...storages.filter(([storage]) => !failed.has(storage)).map(([storage]) => ({ storage, state: 'good' as const })),
    ...[...failed].map(([storage, message = 'It cannot be used.']) => ({
      ...{ storage, message },
      state: 'unreachable' as const,
    })),
  ];
}

async function cursorOf(db: CatalogDb): Promise<number | undefined> {
  const row = await db.selectFrom('catalog_values').select('value').where('key', '=', CURSOR).executeTakeFirst();
  return row === undefined ? undefined : Number(row.value);
}

async function keepCursor(tx: CatalogDb, seq: number): Promise<void> {
  const value = String(seq);
  await tx
    .insertInto('catalog_values')
    .values({ key: CURSOR, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}
