import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { isFailure } from '../base/failure.ts';
import { openCatalog } from './catalog.ts';
import { MIGRATIONS, type Migration, migrate } from './migrations.ts';

async function place(t: { after(work: () => Promise<void>): void }): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hf-catalog-'));
  t.after(() => rm(directory, { recursive: true }));
  return join(directory, 'catalog.sqlite');
}

const second: Migration = { up: (db) => db.schema.createTable('later').addColumn('a', 'text').execute() };

test('several that open a new catalog at once: one makes its tables, all can use it', async (t) => {
  const path = await place(t);
  const opened = await Promise.all(Array.from({ length: 4 }, () => openCatalog({ path })));
  for (const catalog of opened) {
    assert.deepEqual(await catalog.db.selectFrom('runs').selectAll().execute(), []);
    await catalog[Symbol.asyncDispose]();
  }
});

test('a later migration is carried out once, on what is there; one that fails leaves nothing of itself', async (t) => {
  await using catalog = await openCatalog({ path: await place(t) });
  await catalog.db.insertInto('catalog_values').values({ key: 'kept', value: 'yes' }).execute();
  const broken: Migration = {
    up: async (db) => {
      await second.up(db);
      throw new Error('half way');
    },
  };
  await assert.rejects(migrate(catalog.db, { ...MIGRATIONS, '0002-later': broken }), /half way/);
  for (let times = 0; times < 2; times++) await migrate(catalog.db, { ...MIGRATIONS, '0002-later': second });
  const { rows } = await sql`select * from later`.execute(catalog.db);
  assert.deepEqual(rows, []);
  const kept = await catalog.db.selectFrom('catalog_values').selectAll().execute();
  assert.deepEqual(
    kept.map(({ value }) => value),
    ['yes'],
  );
});

test('a catalog of a newer program is refused and left alone', async (t) => {
  await using catalog = await openCatalog({ path: await place(t) });
  await migrate(catalog.db, { ...MIGRATIONS, '0002-later': second });
  await assert.rejects(
    migrate(catalog.db),
    (error) => isFailure(error, 'catalog_failed') && /newer/.test(error.message),
  );
});
