/** Indexes out of the way while a table is filled: made afterwards, each in one pass. */
import { sql } from 'kysely';
import type { Filled } from '../catalog.ts';

/** Drops every index but those of keys; what it answers makes them again. */
export async function dropIndexes({ db, dialect }: Filled): Promise<() => Promise<void>> {
  const known =
    dialect === 'sqlite'
      ? sql<Index>`select name, sql as definition from sqlite_master where type = 'index' and sql is not null`
      : sql<Index>`select indexname as name, indexdef as definition from pg_indexes
          where schemaname = 'public' and indexname not in (select conname from pg_constraint)`;
  const { rows } = await known.execute(db);
  for (const { name } of rows) await sql`drop index ${sql.ref(name)}`.execute(db);
  return async () => {
    for (const { definition } of rows) await sql.raw(definition).execute(db);
  };
}

interface Index {
  readonly name: string;
  readonly definition: string;
}
