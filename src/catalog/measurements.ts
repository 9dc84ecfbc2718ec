/** Figures over time: sizes, durations, what storages hold. Names end in their unit. */
import { sql } from 'kysely';
import type { CatalogDb } from './database.ts';
import { preparedForms } from './prepared.ts';

export interface Measurement {
  /** Such as storage_used_bytes, backup_seconds. */
  readonly name: string;
  /** Empty where it belongs to no app. */
  readonly app: string;
  /** Empty where it belongs to no storage. */
  readonly storage: string;
  /** ms since the epoch. */
  readonly at: number;
  readonly value: number;
}

export interface NewMeasurement {
  readonly name: string;
  readonly app?: string;
  readonly storage?: string;
  readonly value: number;
}

export interface SeriesFilter {
  readonly name: string;
  readonly app?: string;
  readonly storage?: string;
  readonly since?: number;
  readonly until?: number;
  /** The newest so many of the series. */
  readonly limit: number;
}

const ROWS = 500;

/** Writes figures down; of two at the same moment the later call counts. What is not a finite number is left out. */
export async function measure(db: CatalogDb, figures: readonly NewMeasurement[], now: number): Promise<void> {
  const rows = figures
    .filter(({ value }) => Number.isFinite(value))
    .map(({ name, app = '', storage = '', value }) => ({ name, app, storage, at: now, value }));
  for (let done = 0; done < rows.length; done += ROWS) {
    await db
      .insertInto('measurements')
      .values(rows.slice(done, done + ROWS))
      .onConflict((conflict) =>
        conflict.columns(['name', 'app', 'storage', 'at']).doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
      )
      .execute();
  }
}

/** One series, the oldest first. */
export async function readSeries(db: CatalogDb, filter: SeriesFilter): Promise<Measurement[]> {
  return (await selectSeries(db, { app: '', storage: '', ...filter })).rows.reverse();
}

const selectSeries = preparedForms(
  (
    db: CatalogDb,
    { name, app, storage, since, until, limit }: Required<Pick<SeriesFilter, 'app' | 'storage'>> & SeriesFilter,
  ) => {
    let query = db
      .selectFrom('measurements')
      .selectAll()
      .where('name', '=', name)
      .where('app', '=', app)
      .where('storage', '=', storage);
    if (since !== undefined) query = query.where('at', '>=', since);
    if (until !== undefined) query = query.where('at', '<', until);
    return query.orderBy('at', 'desc').limit(limit);
  },
);

/** The newest figure of each app and storage that has that name. */
export async function latest(db: CatalogDb, name: string): Promise<Measurement[]> {
  const newest = db
    .selectFrom('measurements')
    .select(['app', 'storage', sql<number>`max(at)`.as('newest')])
    .where('name', '=', name)
    .groupBy(['app', 'storage'])
    .as('last');
  return await db
    .selectFrom('measurements as m')
    .innerJoin(newest, (join) =>
      join.onRef('last.app', '=', 'm.app').onRef('last.storage', '=', 'm.storage').onRef('last.newest', '=', 'm.at'),
    )
    .selectAll('m')
    .where('m.name', '=', name)
    .orderBy('m.app')
    .orderBy('m.storage')
    .execute();
}
