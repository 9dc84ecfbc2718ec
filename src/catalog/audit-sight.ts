/** Whether the audit log was the one that the storages know when it was last held against them. Seen with each copy of the catalog, read by alerts. */
import { type CatalogDb, storable, within } from './database.ts';

const KEY = 'audit.sight';
const MAX_MESSAGE = 1_000;

/** Times are ms since the epoch. */
export interface AuditSight {
  /** How it differs; undefined: it does not. */
  readonly problem?: string;
  readonly at: number;
  /** Since when it differs, or does not. */
  readonly since: number;
}

export async function noteAudit(db: CatalogDb, problem: string | undefined, now: number): Promise<void> {
  await within(db, async (tx) => {
    const known = await readAuditSight(tx);
    const same = known !== undefined && (known.problem === undefined) === (problem === undefined);
    const said = problem === undefined ? {} : { problem: problem.slice(0, MAX_MESSAGE) };
    const sight: AuditSight = { ...said, at: now, since: same ? known.since : now };
    const value = storable(JSON.stringify(sight));
    await tx
      .insertInto('catalog_values')
      .values({ key: KEY, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  });
}

export async function readAuditSight(db: CatalogDb): Promise<AuditSight | undefined> {
  const row = await db.selectFrom('catalog_values').select('value').where('key', '=', KEY).executeTakeFirst();
  return row === undefined ? undefined : (JSON.parse(row.value) as AuditSight);
}
