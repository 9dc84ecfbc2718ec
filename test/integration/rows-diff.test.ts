/** What differs in a table between two databases: exact, in one order on both sides, whatever the keys and columns are. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { parseConnectionUrl } from '../../src/postgres/connection-settings.ts';
import {
  diffTable,
  exportRows,
  type RowDifference,
  RowsSession,
  readCatalog,
  selectTables,
} from '../../src/recovery/rows.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type RowDatabases, rowDatabases } from './fixtures/row-databases.ts';

const servers: TestServer[] = [];
for (const major of (await majors()).filter((each) => each !== 16)) servers.push(await startPostgres({ major }));
const server = servers.at(-1)!;
after(() => Promise.all(servers.map((each) => each.stop('immediate'))));

async function differences(world: RowDatabases, table: string) {
  const found: RowDifference[] = [];
  await using past = await RowsSession.open(parseConnectionUrl(world.url('past')), { label: 'Then' });
  await using now = await RowsSession.open(parseConnectionUrl(world.url('now')), { label: 'Now' });
  const [chosen] = selectTables(await readCatalog(past), { tables: [table], schemas: [] });
  const counts = await diffTable(past, now, chosen!, (difference) => void found.push(difference));
  return { counts, found };
}

/** The file's text. */
async function exported(world: RowDatabases, table: string, format: 'csv' | 'json', where?: string) {
  await using past = await RowsSession.open(parseConnectionUrl(world.url('past')), { label: 'Then' });
  const [chosen] = selectTables(await readCatalog(past), { tables: [table], schemas: [] });
  let rows = -1;
  const chunks = await Array.fromAsync(
    exportRows(past, { table: chosen!, where, format, onRows: (count) => (rows = count) }),
  );
  return { rows, text: Buffer.concat(chunks).toString() };
}

for (const each of servers) {
  test(`PostgreSQL ${each.major}: rows that came, went and changed are told by their key, and counted`, async () => {
    await using world = await rowDatabases(
      each,
      `CREATE TABLE t (a int, b text, x numeric, PRIMARY KEY (a, b));
       INSERT INTO t SELECT i % 7 - 3, 'k' || i, i FROM generate_series(1, 5000) i`,
      `DELETE FROM t WHERE x = 100; UPDATE t SET x = 1.50 WHERE x IN (9, 4999); INSERT INTO t VALUES (-3, '', NULL), (10, 'k10', 'NaN')`,
    );
    const { counts, found } = await differences(world, 't');
    assert.deepEqual(counts, { added: 2, removed: 1, changed: 2, same: 4997, columns_new: [], columns_dropped: [] });
    assert.deepEqual(
      found.find(({ kind, key }) => kind === 'added' && key.b === ''),
      {
        kind: 'added',
        key: { a: '-3', b: '' },
        columns: [
          { name: 'a', was: null, is: '-3' },
          { name: 'b', was: null, is: '' },
          { name: 'x', was: null, is: null },
        ],
      },
    );
    assert.deepEqual(
      found.filter(({ kind }) => kind === 'changed').map(({ columns }) => columns),
      [[{ name: 'x', was: '9', is: '1.50' }], [{ name: 'x', was: '4999', is: '1.50' }]],
    );
  });
}

test('keys beyond the basic plane, prefixes of each other and of any collation are in one order on both sides', async () => {
  const keys = ['', 'a', 'A', 'ab', 'a b', 'é', 'e\u0301', '\uffee', '🩺', 'z', '\u0001', 'ä', 'Z', '\\', '"'];
  const values = keys.map(
    (key, at) => `(E'${[...key].map((c) => `\\U${c.codePointAt(0)!.toString(16).padStart(8, '0')}`).join('')}', ${at})`,
  );
  await using world = await rowDatabases(
    server,
    `CREATE TABLE t (k text COLLATE "C" PRIMARY KEY, x int); INSERT INTO t VALUES ${values.join(', ')}`,
    `ALTER TABLE t ALTER k TYPE text COLLATE "und-x-icu"; UPDATE t SET x = -x WHERE k IN ('🩺', 'e\u0301')`,
  );
  const { counts, found } = await differences(world, 't');
  assert.deepEqual([counts.added, counts.removed, counts.changed, counts.same], [0, 0, 2, keys.length - 2]);
  assert.deepEqual(
    found.map(({ key }) => key.k),
    ['e\u0301', '🩺'],
  );
});

test('columns that only one side has are named and not compared; a table without a common key is refused', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE t (id int PRIMARY KEY, gone text, x int); INSERT INTO t VALUES (1, 'g', 1), (2, 'g', 2); CREATE TABLE heap (x int)`,
    `ALTER TABLE t DROP gone; ALTER TABLE t ADD fresh text DEFAULT 'f'; UPDATE t SET x = 0 WHERE id = 2; ALTER TABLE heap ADD id serial PRIMARY KEY`,
  );
  const { counts, found } = await differences(world, 't');
  assert.deepEqual(counts, {
    added: 0,
    removed: 0,
    changed: 1,
    same: 1,
    columns_new: ['fresh'],
    columns_dropped: ['gone'],
  });
  assert.deepEqual(found[0]?.columns, [{ name: 'x', was: '2', is: '0' }]);
  await assert.rejects(differences(world, 'heap'), { code: 'rows_refused', message: /has no key/ });
});

test('exports keep every digit, tell NULL from empty, and know how many rows there were', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE t (id bigint PRIMARY KEY, n numeric(40, 3), f float8, s text, j jsonb, b bool, y bytea, a int[]);
     INSERT INTO t VALUES (9007199254740993, 12345678901234567890.125, 0.1, '', '{"a": [1, null]}', true, '\\x00ff', '{1,NULL}'),
       (2, 'NaN', 'Infinity', NULL, NULL, NULL, NULL, NULL)`,
    '',
  );
  const json = await exported(world, 't', 'json');
  assert.equal(json.rows, 2);
  assert.deepEqual(JSON.parse(json.text), [
    ...[
      {
        id: '9007199254740993',
        n: '12345678901234567890.125',
        f: 0.1,
        s: '',
        j: { a: [1, null] },
        b: true,
        y: '\\x00ff',
        a: [1, null],
      },
    ],
    ...[{ id: '2', n: 'NaN', f: 'Infinity', s: null, j: null, b: null, y: null, a: null }],
  ]);
  const csv = await exported(world, 't', 'csv', 'id = 2');
  assert.deepEqual(csv, { rows: 1, text: 'id,n,f,s,j,b,y,a\n2,NaN,Infinity,,,,,\n' });
  assert.deepEqual(await exported(world, 't', 'json', 'false'), { rows: 0, text: '[]\n' });
});
