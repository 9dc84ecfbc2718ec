/**
 * A catalog as it is after years of service: a million runs, a hundred thousand points, and what comes with them. The database makes the rows
 * by itself, with the indexes taken away meanwhile. All of it is young enough to be kept: nothing is swept while something is measured.
 */
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { type Catalog, type CatalogPlace, openCatalog } from '../../src/catalog/catalog.ts';
import type { CatalogTables } from '../../src/catalog/schema.ts';
import { dropIndexes } from './catalog/indexes.ts';
import { series } from './catalog/series.ts';
import { type Counts, SCHEDULES, TABLES } from './catalog/tables.ts';

export { APPS, SCHEDULES, scheduleId } from './catalog/tables.ts';

const DAY = 86_400_000;

/** What is filled: one connection, so that what is set on it holds for everything. */
export type Filled = Pick<Catalog, 'db' | 'dialect'>;

/** Makes a catalog: for a million runs also a third as many events, entries of the audit log and figures, and 20,000 alerts. */
export async function fillCatalog(place: CatalogPlace, runs: number, points: number): Promise<void> {
  await using catalog = await openCatalog(place);
  if ('path' in place) return await fill(catalog, runs, points);
  // The catalog's own connections give up after half a minute, which an index of a million rows may take on a busy machine.
  const pool = new pg.Pool({ connectionString: place.url, max: 1 });
  const db = new Kysely<CatalogTables>({ dialect: new PostgresDialect({ pool }) });
  try {
    await fill({ db, dialect: 'postgres' }, runs, points);
  } finally {
    await db.destroy();
  }
}

async function fill(catalog: Filled, runs: number, points: number): Promise<void> {
  const { db, dialect } = catalog;
  const counts: Counts = {
    ...{ runs, points, events: Math.ceil(runs / 3), alerts: Math.ceil(runs / 50), schedules: SCHEDULES },
  };
  const end = systemClock.now() - 60_000;
  const restore = await dropIndexes(catalog);
  if (dialect === 'sqlite') await pragmas(db, ['journal_mode = off', 'synchronous = off', 'cache_size = -500000']);
  for (const { name, count, days, columns } of TABLES) {
    const from = series(catalog, counts[count], end, days * DAY);
    const values = columns(from);
    const names = sql.join(Object.keys(values).map((column) => sql.ref(column)));
    await sql`insert into ${sql.table(name)} (${names}) select ${sql.join(Object.values(values))} from ${from.from}`.execute(
      db,
    );
  }
  const value = JSON.stringify({ seq: counts.events, hash: counts.events.toString().padStart(64, '0') });
  await db.insertInto('catalog_values').values({ key: 'audit.head', value }).execute();
  await restore();
  await sql`analyze`.execute(db);
  if (dialect === 'sqlite') await pragmas(db, ['cache_size = -16000', 'synchronous = full', 'journal_mode = wal']);
}

/** Nobody else has the file yet, and what is lost of it is made again. */
async function pragmas(db: Catalog['db'], settings: readonly string[]): Promise<void> {
  for (const setting of settings) await sql.raw(`pragma ${setting}`).execute(db);
}
