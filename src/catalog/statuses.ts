/** What was last seen of the outside: the status of each app, and how each storage stands. Written after runs, read by alerts, metrics and the API. */
import { type CatalogDb, locking, storable, within } from './database.ts';
import { appendEvent } from './events.ts';

const STATUS = 'status:';
const STORAGE = 'storage:';
const MAX_MESSAGE = 1_000;

/** What `holdfast status --json` printed, and when (ms since the epoch). */
export interface KnownStatus {
  readonly at: number;
  readonly report: Readonly<Record<string, unknown>>;
}

export type StorageState = 'good' | 'behind' | 'damaged' | 'unreachable';

export interface StorageSight {
  readonly storage: string;
  readonly state: StorageState;
  /** Its own error, where there is one. */
  readonly message?: string;
}

/** Times are ms since the epoch. */
export interface KnownStorage extends StorageSight {
  /** When it was seen last, and since when it is in this state. */
  readonly at: number;
  readonly since: number;
}

/** Keeps the report of an app, and what it tells of storages. */
export async function saveStatus(
  db: CatalogDb,
  app: string,
  report: Readonly<Record<string, unknown>>,
  now: number,
): Promise<void> {
  await within(db, async (tx) => {
    await put(tx, STATUS + app, { at: now, report });
    await noteStorages(tx, sightsOf(report), now);
  });
}

export async function readStatus(db: CatalogDb, app: string): Promise<KnownStatus | undefined> {
  const row = await db
    .selectFrom('catalog_values')
    .select('value')
    .where('key', '=', STATUS + app)
    .executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.value) as KnownStatus);
}

/** Writes down how storages were seen; a change of state is an event. */
export async function noteStorages(db: CatalogDb, sights: readonly StorageSight[], now: number): Promise<void> {
  await within(db, async (tx) => {
    for (const { storage, state, message } of [...sights].sort((a, b) => (a.storage < b.storage ? -1 : 1))) {
      const query = tx
        .selectFrom('catalog_values')
        .select('value')
        .where('key', '=', STORAGE + storage);
      const row = await locking(tx, query).executeTakeFirst();
      const known = row === undefined ? undefined : (JSON.parse(row.value) as KnownStorage);
      if (known !== undefined && known.at > now) continue; // seen later by another run
      const since = known?.state === state ? known.since : now;
      const short = message?.slice(0, MAX_MESSAGE);
      const said = short === undefined ? {} : { message: short };
      await put(tx, STORAGE + storage, { storage, state, ...said, at: now, since });
      if (known?.state === state) continue;
      await appendEvent(tx, { type: 'storage.state', data: { storage, state, before: known?.state, ...said } }, now);
    }
  });
}

export async function readStorages(db: CatalogDb): Promise<KnownStorage[]> {
  const rows = await db
    .selectFrom('catalog_values')
    .select('value')
    .where('key', '>=', STORAGE)
    .where('key', '<', 'storage;')
    .orderBy('key')
    .execute();
  return rows.map(({ value }) => JSON.parse(value) as KnownStorage);
}

function sightsOf(report: Readonly<Record<string, unknown>>): StorageSight[] {
  const listed = Array.isArray(report.storages) ? (report.storages as Record<string, unknown>[]) : [];
  return listed.flatMap(({ storage, state, message }) => {
    if (typeof storage !== 'string') return [];
    const known = state === 'good' || state === 'behind' || state === 'damaged' ? state : 'unreachable';
    return [{ storage, state: known, ...(typeof message === 'string' ? { message } : {}) }];
  });
}

async function put(db: CatalogDb, key: string, value: unknown): Promise<void> {
  const text = storable(JSON.stringify(value));
  await db
    .insertInto('catalog_values')
    .values({ key, value: text })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: text }))
    .execute();
}
