/** What the last look at the set-up found. */
import { type CatalogDb, storable } from './database.ts';

const KEY = 'diagnosis:latest';

export interface KeptDiagnosis {
  /** ms since the epoch. */
  readonly at: number;
  readonly report: Readonly<Record<string, unknown>>;
}

export async function saveDiagnosis(db: CatalogDb, diagnosis: KeptDiagnosis): Promise<void> {
  const value = storable(JSON.stringify(diagnosis));
  await db
    .insertInto('catalog_values')
    .values({ key: KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

export async function latestDiagnosis(db: CatalogDb): Promise<KeptDiagnosis | undefined> {
  const row = await db.selectFrom('catalog_values').select('value').where('key', '=', KEY).executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.value) as KeptDiagnosis);
}
