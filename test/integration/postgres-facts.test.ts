/** What the manifest is told about a cluster, and rows of configured queries in any number. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import { parseConnectionUrl } from '../../src/postgres/connection-settings.ts';
import { readFacts } from '../../src/postgres/facts.ts';
import { queryRows } from '../../src/postgres/query-rows.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';

const all = await majors();
const servers: TestServer[] = [];

before(async () => {
  for (const major of all.filter((major) => major !== 16)) {
    const server = await startPostgres({ major, settings: { max_connections: '77' } });
    servers.push(server);
    await server.sql('CREATE DATABASE shop');
    await server.sql(
      `CREATE SCHEMA "Odd name"; CREATE TABLE "Odd name"."T" AS SELECT g FROM generate_series(1, 12) g;
       CREATE TABLE parts (id int) PARTITION BY RANGE (id);
       CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (100);
       INSERT INTO parts SELECT g FROM generate_series(1, 30) g;
       CREATE TABLE migrations (id int, name text); INSERT INTO migrations VALUES (1, 'first'), (2, NULL), (3, 'third');
       CREATE TABLE large AS SELECT g AS id FROM generate_series(1, 25000) g;
       CREATE ROLE stranger LOGIN`,
      'shop',
    );
  }
});
after(async () => {
  for (const server of servers) await server.stop('immediate');
});

test('facts hold identity, settings, databases, extensions and exact counts on every version', async () => {
  for (const server of servers) {
    const settings = parseConnectionUrl(server.url({ database: 'shop' }));
    const facts = await readFacts(settings, { migrations: 'SELECT name FROM migrations ORDER BY id;' });
    assert.equal(Math.floor(facts.versionNum / 10_000), server.major);
    assert.match(facts.systemIdentifier, /^\d{18,20}$/);
    assert.equal(facts.settings.max_connections, '77');
    assert.equal(facts.dataChecksums, true);
    assert.equal(facts.database.name, 'shop');
    assert.ok((facts.database.bytes ?? 0) > 5_000_000);
    assert.deepEqual(
      facts.databases.map((database) => database.name),
      ['postgres', 'shop'],
    );
    assert.ok(facts.extensions.some((extension) => extension.database === 'postgres' && extension.name === 'plpgsql'));
    const versions = await server.sql(
      'select distinct collversion from pg_collation where collversion is not null',
      'shop',
    );
    assert.ok(versions.length > 0);
    assert.deepEqual(
      new Set(facts.collations.map(({ version }) => version)),
      new Set(versions.map(({ collversion }) => collversion)),
    );
    assert.deepEqual(facts.migrations, ['first', '', 'third']);
    assert.deepEqual(facts.tables, [
      { schema: 'Odd name', name: 'T', rows: 12, exact: true },
      { schema: 'public', name: 'large', rows: 25000, exact: true },
      { schema: 'public', name: 'migrations', rows: 3, exact: true },
      { schema: 'public', name: 'parts_low', rows: 30, exact: true },
    ]);
    assert.deepEqual(facts.notes, []);
  }
});

test('without time for counting, rows are estimates and say so', async () => {
  const [server] = servers;
  assert.ok(server);
  await server.sql('ANALYZE large', 'shop');
  const facts = await readFacts(parseConnectionUrl(server.url({ database: 'shop' })), { countBudgetMs: 0 });
  assert.deepEqual(
    facts.tables.find((table) => table.name === 'large'),
    { schema: 'public', name: 'large', rows: 25000, exact: false },
  );
});

test('a role without rights gets what it may see, and the statement for the rest', async () => {
  const [server] = servers;
  assert.ok(server);
  const facts = await readFacts(parseConnectionUrl(server.url({ user: 'stranger', database: 'shop' })));
  assert.ok(facts.tables.every((table) => !table.exact));
  assert.ok(facts.notes.some((note) => note.includes('GRANT pg_read_all_data TO "stranger";')));
});

test('rows come in batches, in order, and stop when nobody asks for more', async () => {
  const [server] = servers;
  assert.ok(server);
  const url = server.url({ database: 'shop' });
  let expected = 0;
  for await (const [id] of queryRows(url, 'SELECT id FROM large ORDER BY id')) assert.equal(id, String(++expected));
  assert.equal(expected, 25000);
  for await (const row of queryRows(url, 'SELECT generate_series(1, 100000000)')) {
    assert.deepEqual(row, ['1']);
    break;
  }
});

test('a query that would write, or does not parse, is refused', async () => {
  const [server] = servers;
  assert.ok(server);
  const url = server.url({ database: 'shop' });
  const refused = (error: unknown) =>
    isFailure(error, 'postgres_refused') && error.message.startsWith('The references query');
  for (const query of [
    'DELETE FROM large RETURNING id',
    'SELEC 1',
    "SELECT nextval('x')",
    'SELECT 1; DROP TABLE large',
  ]) {
    await assert.rejects(Array.fromAsync(queryRows(url, query, { doing: 'The references query' })), refused, query);
  }
  await assert.rejects(
    Array.fromAsync(queryRows(server.url({ user: 'stranger', database: 'shop' }), 'SELECT id FROM large')),
    (error) => isFailure(error) && error.hint === 'GRANT pg_read_all_data TO "stranger";',
  );
});
