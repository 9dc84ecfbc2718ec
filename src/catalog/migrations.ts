/** The numbered migrations, in order. */
import type { Kysely } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { Failure } from '../base/failure.ts';
import * as first from './migrations/0001-first.ts';
import type { CatalogTables } from './schema.ts';

export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-first': first,
};

/** Brings the catalog to the newest form; one process at a time does it. Throws `catalog_failed`, with nothing half-changed. */
export async function migrate(db: Kysely<CatalogTables>): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: 'catalog_migrations',
    migrationLockTableName: 'catalog_migrations_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const message = error instanceof Error ? error.message : String(error);
  const newer = /corrupted migrations/i.test(message);
  throw new Failure('catalog_failed', `The catalog cannot be brought to this program's form: ${message}`, {
    cause: error,
    ...(newer
      ? { hint: 'A newer Holdfast wrote it: run that version, or "holdfast catalog rebuild" into a new one.' }
      : {}),
  });
}
