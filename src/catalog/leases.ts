/** Parts of the service that one process at a time does: scheduling, alerting, housekeeping. */
import { sql } from 'kysely';
import { type CatalogDb, locking } from './database.ts';

export interface RoleLease {
  readonly name: string;
  readonly holder: string;
  /** Grows whenever the role changes hands. */
  readonly fence: number;
}

/** The role until `now + ms`: taken when it is free or overdue, kept when `holder` has it; `undefined` while another has it. */
export async function takeLease(
  db: CatalogDb,
  name: string,
  holder: string,
  now: number,
  ms: number,
): Promise<RoleLease | undefined> {
  const until = now + ms;
  const row = await db
    .insertInto('leases')
    .values({ name, holder, fence: 1, until })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({
          holder,
          until,
          // who was overdue may have been paused while nobody else wanted the role; it has missed nothing and keeps its fence
          fence: sql<number>`case when leases.holder = ${holder} then leases.fence else leases.fence + 1 end`,
        })
        .where((eb) => eb.or([eb('leases.holder', '=', holder), eb('leases.until', '<', now)])),
    )
    .returning('fence')
    .executeTakeFirst();
  return row === undefined ? undefined : { name, holder, fence: row.fence };
}

/** Whether the role is still in the same hands. In a transaction it stays so until that ends: what is written there belongs to it. */
export async function holdsLease(db: CatalogDb, lease: RoleLease): Promise<boolean> {
  const query = db
    .selectFrom('leases')
    .select('fence')
    .where('name', '=', lease.name)
    .where('holder', '=', lease.holder)
    .where('fence', '=', lease.fence);
  return (await (db.isTransaction ? locking(db, query) : query).executeTakeFirst()) !== undefined;
}

/** Gives the role back, so that another need not wait. */
export async function dropLease(db: CatalogDb, lease: RoleLease): Promise<void> {
  await db
    .updateTable('leases')
    .set({ until: 0, holder: '' })
    .where('name', '=', lease.name)
    .where('holder', '=', lease.holder)
    .where('fence', '=', lease.fence)
    .execute();
}
