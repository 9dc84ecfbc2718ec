/** When the outside was last looked at, by what was looked at: known to every process, and after a restart. */
import type { CatalogDb } from './database.ts';

const OBSERVED = 'observed:';

/** What was ever looked at, and when last; ms since the epoch. */
export async function observations(db: CatalogDb): Promise<ReadonlyMap<string, number>> {
  const query = db.selectFrom('catalog_values').select(['key', 'value']);
  const rows = await query.where('key', 'like', `${OBSERVED}%`).execute();
  return new Map(rows.map(({ key, value }) => [key.slice(OBSERVED.length), Number(value)]));
}

export async function noteObserved(db: CatalogDb, what: string, at: number): Promise<void> {
  const value = String(at);
  await db
    .insertInto('catalog_values')
    .values({ key: OBSERVED + what, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}
