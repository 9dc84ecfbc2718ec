/** The cache of restore points: what the storages told when they were last asked. The storages are right where the two differ. */
import type { Selectable } from 'kysely';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { type CatalogDb, storable, within } from './database.ts';
import { appendEvent } from './events.ts';
import { preparedForms } from './prepared.ts';
import type { PointsTable } from './schema.ts';

/** Times are ms since the epoch. */
export interface CatalogPoint {
  readonly id: string;
  readonly app: string;
  readonly time: number;
  readonly label?: string;
  /** Of all files in it. */
  readonly bytes: number;
  /** What it added to a storage, where that is known. */
  readonly bytesStored?: number;
  /** stored, checked, read, restored, accepted. */
  readonly proof: string;
  readonly pinned: boolean;
  readonly sources: readonly string[];
  /** The storages that hold it. */
  readonly storages: readonly string[];
  readonly runId?: string;
}

/** The columns of a point that are shown of it in a list. */
const SHOWN = ['id', 'app', 'time', 'label', 'bytes', 'proof', 'pinned', 'sources', 'storages'] as const;

/** As it lies in the catalog: `sources` and `storages` as JSON. */
export type PointRow = Pick<PointsTable, (typeof SHOWN)[number]>;

export interface SeenPoint extends CatalogPoint {
  /** When the storages last told something new about it. */
  readonly seenAt: number;
}

export interface PointFilter {
  readonly app?: string;
  /** Only of these apps: what a person may see. */
  readonly apps?: readonly string[];
  readonly pinned?: boolean;
  readonly proof?: string;
  /** Of this time or later. */
  readonly since?: number;
  /** Before this time. */
  readonly until?: number;
  /** Where the last page ended. */
  readonly cursor?: string;
  readonly limit: number;
}

export interface PointChanges {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

const CURSOR = /^(\d{1,15})\.([0-9a-f]{64})$/;
/** Rows of one statement. */
const ROWS = 500;
/** Up to so many changes of one look get an event each; a catalog that is filled from the storages has nothing to tell of each point. */
const TOLD = 1000;

/** Writes down one point. */
export async function savePoint(db: CatalogDb, point: CatalogPoint, now: number): Promise<void> {
  await within(db, async (tx) => {
    const known = await tx.selectFrom('points').select('id').where('id', '=', point.id).executeTakeFirst();
    await upsert(tx, [toRow(point, now)]);
    if (known === undefined) await appendEvent(tx, addedEvent(point), now);
  });
}

/** Makes the cache say what the storages say: `points` are all points of `app`. */
export async function replacePoints(
  db: CatalogDb,
  app: string,
  points: readonly CatalogPoint[],
  now: number,
): Promise<PointChanges> {
  return await within(db, async (tx) => {
    const rows = await tx.selectFrom('points').selectAll().where('app', '=', app).execute();
    const known = new Map(rows.map((row) => [row.id, row]));
    const added = points.filter(({ id }) => !known.has(id));
    const changed = points.filter((point) => known.has(point.id) && !isSame(toRow(point, now), known.get(point.id)!));
    const present = new Set(points.map(({ id }) => id));
    const removed = rows.filter(({ id }) => !present.has(id));
    await upsert(
      tx,
      [...added, ...changed].map((point) => toRow(point, now)),
    );
    await remove(
      tx,
      removed.map(({ id }) => id),
    );
    await tell(tx, added, removed, now);
    return { added: added.length, changed: changed.length, removed: removed.length };
  });
}

/** Forgets the points of apps that are not among `apps`. How many. */
export async function keepPointsOf(db: CatalogDb, apps: readonly string[], now: number): Promise<number> {
  const known = await db.selectFrom('points').select('app').distinct().execute();
  const gone = known.filter(({ app }) => !apps.includes(app));
  let removed = 0;
  for (const { app } of gone) removed += (await replacePoints(db, app, [], now)).removed;
  return removed;
}

export async function getPoint(db: CatalogDb, id: string): Promise<SeenPoint | undefined> {
  const row = await db.selectFrom('points').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toPoint(row);
}

/** A page of points, the newest first; `next` is the cursor of the following page. */
export async function listPoints(
  db: CatalogDb,
  { pinned, cursor, limit, ...same }: PointFilter,
): Promise<{ readonly points: readonly PointRow[]; readonly next: string | null }> {
  const flag: 0 | 1 | undefined = pinned === undefined ? undefined : pinned ? 1 : 0;
  const { rows } = await selectPoints(db, {
    ...same,
    ...given('pinned', flag),
    ...(cursor === undefined ? {} : parseCursor(cursor)),
    rows: limit + 1,
  });
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { points: page, next: more ? `${last.time}.${last.id}` : null };
}

interface Asked extends Pick<PointFilter, 'app' | 'apps' | 'proof' | 'since' | 'until'> {
  readonly pinned?: 0 | 1;
  /** Of the cursor. */
  readonly time?: number;
  readonly id?: string;
  readonly rows: number;
}

const selectPoints = preparedForms((db: CatalogDb, asked: Asked) => {
  const { app, apps, pinned, proof, since, until, time, id } = asked;
  let query = db
    .selectFrom('points')
    .select([...SHOWN])
    .orderBy('time', 'desc')
    .orderBy('id', 'desc')
    .limit(asked.rows);
  if (app !== undefined) query = query.where('app', '=', app);
  if (apps !== undefined) query = query.where('app', 'in', apps);
  if (pinned !== undefined) query = query.where('pinned', '=', pinned);
  if (proof !== undefined) query = query.where('proof', '=', proof);
  if (since !== undefined) query = query.where('time', '>=', since);
  if (until !== undefined) query = query.where('time', '<', until);
  if (time === undefined || id === undefined) return query;
  return query
    .where('time', '<=', time) // lets the index begin at the right place
    .where((eb) => eb.or([eb('time', '<', time), eb('id', '<', id)]));
});

async function upsert(db: CatalogDb, rows: readonly Selectable<PointsTable>[]): Promise<void> {
  for (let done = 0; done < rows.length; done += ROWS) {
    await db
      .insertInto('points')
      .values(rows.slice(done, done + ROWS))
      .onConflict((conflict) =>
        conflict.column('id').doUpdateSet((eb) => ({
          app: eb.ref('excluded.app'),
          time: eb.ref('excluded.time'),
          label: eb.ref('excluded.label'),
          bytes: eb.ref('excluded.bytes'),
          bytes_stored: eb.fn.coalesce('excluded.bytes_stored', 'points.bytes_stored'),
          proof: eb.ref('excluded.proof'),
          pinned: eb.ref('excluded.pinned'),
          sources: eb.ref('excluded.sources'),
          storages: eb.ref('excluded.storages'),
          run_id: eb.fn.coalesce('excluded.run_id', 'points.run_id'),
          seen_at: eb.ref('excluded.seen_at'),
        })),
      )
      .execute();
  }
}

async function remove(db: CatalogDb, ids: readonly string[]): Promise<void> {
  for (let done = 0; done < ids.length; done += ROWS) {
    await db
      .deleteFrom('points')
      .where('id', 'in', ids.slice(done, done + ROWS))
      .execute();
  }
}

async function tell(
  db: CatalogDb,
  added: readonly CatalogPoint[],
  removed: readonly { readonly id: string; readonly app: string }[],
  now: number,
): Promise<void> {
  if (added.length + removed.length > TOLD) return;
  for (const point of added) await appendEvent(db, addedEvent(point), now);
  for (const { id, app } of removed) await appendEvent(db, { type: 'point.removed', app, data: { point: id } }, now);
}

function addedEvent({ id, app, time, bytes, storages, runId }: CatalogPoint) {
  return { type: 'point.added', app, runId, data: { point: id, time, bytes, storages } } as const;
}

function isSame(a: PointsTable, b: PointsTable): boolean {
  const kept: readonly (keyof PointsTable)[] = ['bytes_stored', 'run_id']; // known from a run, not from the storages
  return Object.keys(a).every((name) => {
    const column = name as keyof PointsTable;
    return column === 'seen_at' || a[column] === b[column] || (kept.includes(column) && a[column] === null);
  });
}

function toRow(point: CatalogPoint, now: number): Selectable<PointsTable> {
  return {
    id: point.id,
    app: point.app,
    time: point.time,
    label: point.label === undefined ? null : storable(point.label),
    bytes: point.bytes,
    bytes_stored: point.bytesStored ?? null,
    proof: point.proof,
    pinned: point.pinned ? 1 : 0,
    sources: JSON.stringify(point.sources),
    storages: JSON.stringify(point.storages),
    run_id: point.runId ?? null,
    seen_at: now,
  };
}

function toPoint(row: PointsTable): SeenPoint {
  return {
    id: row.id,
    app: row.app,
    time: row.time,
    ...given('label', row.label ?? undefined),
    bytes: row.bytes,
    ...given('bytesStored', row.bytes_stored ?? undefined),
    proof: row.proof,
    pinned: row.pinned === 1,
    sources: JSON.parse(row.sources) as string[],
    storages: JSON.parse(row.storages) as string[],
    ...given('runId', row.run_id ?? undefined),
    seenAt: row.seen_at,
  };
}

function parseCursor(cursor: string): { readonly time: number; readonly id: string } {
  const parts = CURSOR.exec(cursor);
  if (parts !== null) return { time: Number(parts[1]), id: parts[2]! };
  throw new Failure('usage', 'The cursor is not one that a list gave.', { hint: 'Take "next" of the page before.' });
}
