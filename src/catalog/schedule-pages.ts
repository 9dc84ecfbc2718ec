/** Schedules page by page, by app and name. */
import { Failure } from '../base/failure.ts';
import { isRecordId } from '../base/ids.ts';
import type { CatalogDb } from './database.ts';
import { preparedForms } from './prepared.ts';
import type { SchedulesTable } from './schema.ts';

export interface SchedulePageFilter {
  readonly app?: string;
  readonly kind?: string;
  readonly enabled?: boolean;
  /** `next` of the page before. */
  readonly cursor?: string;
  readonly limit: number;
}

/** As they lie in the catalog; `next` is the cursor of the following page: the id of the last schedule. Throws `usage` for a cursor that no list gave. */
export async function pageOfSchedules(
  db: CatalogDb,
  { app, kind, enabled, cursor, limit }: SchedulePageFilter,
): Promise<{ readonly schedules: readonly SchedulesTable[]; readonly next: string | null }> {
  const { rows } = await read(db, {
    ...(app === undefined ? {} : { app }),
    ...(kind === undefined ? {} : { kind }),
    ...(enabled === undefined ? {} : { enabled: enabled ? 1 : 0 }),
    ...(cursor === undefined ? {} : await placeOf(db, cursor)),
    limit: limit + 1,
  });
  const schedules = rows.slice(0, limit);
  return { schedules, next: rows.length > limit ? (schedules.at(-1)?.id ?? null) : null };
}

interface Asked {
  readonly app?: string;
  readonly kind?: string;
  readonly enabled?: 0 | 1;
  /** Where the page before ended. */
  readonly afterApp?: string;
  readonly afterName?: string;
  readonly afterId?: string;
  readonly limit: number;
}

const read = preparedForms<Asked, SchedulesTable>((db, { app, kind, enabled, afterApp, afterName, afterId, limit }) => {
  let query = db.selectFrom('schedules').selectAll().orderBy('app').orderBy('name').orderBy('id').limit(limit);
  if (app !== undefined) query = query.where('app', '=', app);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (enabled !== undefined) query = query.where('enabled', '=', enabled);
  if (afterApp === undefined || afterName === undefined || afterId === undefined) return query;
  return query.where(({ eb, refTuple, tuple }) =>
    eb(refTuple('app', 'name', 'id'), '>', tuple(afterApp, afterName, afterId)),
  );
});

async function placeOf(db: CatalogDb, cursor: string): Promise<Pick<Asked, 'afterApp' | 'afterName' | 'afterId'>> {
  const query = db.selectFrom('schedules').select(['app', 'name']).where('id', '=', cursor);
  const last = isRecordId(cursor) ? await query.executeTakeFirst() : undefined;
  if (last !== undefined) return { afterApp: last.app, afterName: last.name, afterId: cursor };
  throw new Failure('usage', 'The cursor is not one that a list gave, or its schedule was removed meanwhile.', {
    hint: 'Take "next" of the page before, or begin again.',
  });
}
