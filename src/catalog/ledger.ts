/** When each object of each storage was last read back, and whether it was good: what lets samples get round to everything in time. */
import { sql } from 'kysely';
import { type CatalogDb, within } from './database.ts';

export interface ReadObject {
  /** The key in the storage. */
  readonly object: string;
  readonly bytes: number;
  readonly good: boolean;
}

export interface LedgerEntry extends ReadObject {
  readonly storage: string;
  /** ms since the epoch; 0: known to be there, never read. */
  readonly checkedAt: number;
}

export interface LedgerSummary {
  readonly objects: number;
  readonly bytes: number;
  readonly bad: number;
  readonly neverRead: number;
  /** When the object was read whose turn was longest ago, ms since the epoch; 0 when some were never read. */
  readonly oldest: number | undefined;
}

const ROWS = 500;

/** Notes what was read. */
export async function noteRead(
  db: CatalogDb,
  storage: string,
  objects: readonly ReadObject[],
  now: number,
): Promise<void> {
  await within(db, async (tx) => {
    for (let done = 0; done < objects.length; done += ROWS) {
      await tx
        .insertInto('ledger')
        .values(objects.slice(done, done + ROWS).map((read) => row(storage, read, now)))
        .onConflict((conflict) =>
          conflict.columns(['storage', 'object']).doUpdateSet((eb) => ({
            size: eb.ref('excluded.size'),
            checked_at: eb.ref('excluded.checked_at'),
            good: eb.ref('excluded.good'),
          })),
        )
        .execute();
    }
  });
}

/** Makes the ledger list what the storage has: new objects wait to be read, those that are gone are dropped. */
export async function notePresent(
  db: CatalogDb,
  storage: string,
  objects: readonly Pick<ReadObject, 'object' | 'bytes'>[],
): Promise<void> {
  await within(db, async (tx) => {
    const listed = await tx.selectFrom('ledger').select('object').where('storage', '=', storage).execute();
    const known = new Set(listed.map(({ object }) => object));
    const present = new Set(objects.map(({ object }) => object));
    const fresh = objects.filter(({ object }) => !known.has(object)).map((read) => row(storage, read, 0));
    for (let done = 0; done < fresh.length; done += ROWS) {
      const conflict = tx.insertInto('ledger').values(fresh.slice(done, done + ROWS));
      await conflict.onConflict((clause) => clause.doNothing()).execute();
    }
    const gone = [...known].filter((object) => !present.has(object));
    for (let done = 0; done < gone.length; done += ROWS) {
      const some = gone.slice(done, done + ROWS);
      await tx.deleteFrom('ledger').where('storage', '=', storage).where('object', 'in', some).execute();
    }
  });
}

/** The objects whose turn it is: never read first, then those read longest ago. */
export async function longestUnread(db: CatalogDb, storage: string, limit: number): Promise<LedgerEntry[]> {
  const rows = await db
    .selectFrom('ledger')
    .selectAll()
    .where('storage', '=', storage)
    .orderBy('checked_at')
    .limit(limit)
    .execute();
  return rows.map(({ object, size, good, checked_at }) => ({
    storage,
    object,
    bytes: size,
    good: good === 1,
    checkedAt: checked_at,
  }));
}

export async function summarise(db: CatalogDb, storage: string): Promise<LedgerSummary> {
  const found = await db
    .selectFrom('ledger')
    .select([
      sql<number>`count(*)`.as('objects'),
      sql<number>`cast(coalesce(sum(size), 0) as bigint)`.as('bytes'),
      sql<number>`cast(coalesce(sum(1 - good), 0) as bigint)`.as('bad'),
      sql<number>`cast(coalesce(sum(case when checked_at = 0 then 1 else 0 end), 0) as bigint)`.as('neverRead'),
      sql<number | null>`min(checked_at)`.as('oldest'),
    ])
    .where('storage', '=', storage)
    .executeTakeFirstOrThrow();
  return { ...found, oldest: found.oldest ?? undefined };
}

function row(storage: string, read: Pick<ReadObject, 'object' | 'bytes'> & { readonly good?: boolean }, at: number) {
  return { storage, object: read.object, size: read.bytes, checked_at: at, good: read.good === false ? 0 : 1 } as const;
}
