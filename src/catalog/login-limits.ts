/** Failed log-ins, counted by bucket (an address, an account at an address, an account), for every server alike. */
import type { Selectable } from 'kysely';
import type { CatalogDb } from './catalog.ts';
import type { LoginLimitsTable } from './schema.ts';

export type LoginLimit = Selectable<LoginLimitsTable>;

/** The bucket as it is, made where it is missing; until the transaction ends it is this one's alone. Take several in the order of their names. */
export function takeLimit(db: CatalogDb, bucket: string, now: number): Promise<LoginLimit> {
  return db
    .insertInto('login_limits')
    .values({ bucket, failures: 0, last_at: now, until: 0, succeeded_at: null })
    .onConflict((conflict) => conflict.column('bucket').doUpdateSet(({ ref }) => ({ bucket: ref('excluded.bucket') })))
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function setLimit(
  db: CatalogDb,
  bucket: string,
  change: Partial<Omit<LoginLimit, 'bucket'>>,
): Promise<void> {
  await db.updateTable('login_limits').set(change).where('bucket', '=', bucket).execute();
}

/** Those that say nothing any more: no failure since `since`, and no log-in that went well since `knownSince`. */
export async function removeOldLimits(db: CatalogDb, since: number, knownSince: number): Promise<void> {
  await db
    .deleteFrom('login_limits')
    .where('last_at', '<', since)
    .where(({ eb, or }) => or([eb('succeeded_at', 'is', null), eb('succeeded_at', '<', knownSince)]))
    .execute();
}
