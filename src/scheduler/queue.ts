/** Questions about the queue that only the scheduler asks. Written so that the partial indexes of the catalog answer them. */
import { type SqlBool, sql } from 'kysely';
import type { CatalogDb } from '../catalog/catalog.ts';

const QUEUED = sql<SqlBool>`state || '' = 'queued'`;
const WAITING = sql<SqlBool>`state = 'waiting'`;

/** When the next run that may not start yet may, ms since the epoch. */
export async function nextStart(db: CatalogDb, now: number): Promise<number | undefined> {
  const { next } = await db
    .selectFrom('runs')
    .select(({ fn }) => fn.min('not_before').as('next'))
    .where(QUEUED)
    .where('not_before', '>', now)
    .executeTakeFirstOrThrow();
  return next ?? undefined;
}

/** Schedules that have a run which has not begun. */
export async function pendingSchedules(db: CatalogDb): Promise<Set<string>> {
  const found = [];
  for (const state of [QUEUED, WAITING])
    found.push(
      ...(await db
        .selectFrom('runs')
        .select('schedule_id')
        .distinct()
        .where(state)
        .where('schedule_id', 'is not', null)
        .execute()),
    );
  return new Set(found.map(({ schedule_id: id }) => id!));
}
