/** Copies of the catalog, from one database into the other and back; what is let go with time. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun } from '../../src/catalog/claim.ts';
import { COPIED, LEFT_OUT } from '../../src/catalog/copy/tables.ts';
import { copyCatalog, restoreCatalog } from '../../src/catalog/copy.ts';
import { appendEvent, readEvents } from '../../src/catalog/events.ts';
import { KEPT, sweep } from '../../src/catalog/housekeeping.ts';
import { measure, readSeries } from '../../src/catalog/measurements.ts';
import { savePoint } from '../../src/catalog/points.ts';
import { readLog, reportRun } from '../../src/catalog/run-log.ts';
import { createRun, getRun, listRuns } from '../../src/catalog/runs.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 21, 3);
const DAY = 24 * 3_600_000;

let directory: TempDir;
let server: TestServer;
before(async () => {
  directory = await tempDir({ prefix: 'hf-catalog' });
  server = await startPostgres({ major: 17 });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await directory?.remove();
});

let made = 0;
const onFile = () => openCatalog({ path: join(directory.path, `${++made}.sqlite`) });
const onServer = async () => {
  const database = `copy${++made}`;
  await server.sql(`create database ${database}`);
  return openCatalog({ url: server.url({ database }) });
};

async function fill(catalog: Catalog): Promise<void> {
  await catalog.transaction(async (tx) => {
    const run = { app: 'clinic', kind: 'backup', trigger: 'cli' };
    for (let n = 0; n < 1100; n++) await createRun(tx, { ...run, dedupe: `${n}` }, NOW + n);
  });
  const run = (await claimRun(catalog, { id: 'w', labels: {} }, NOW, 1000))!;
  const lines = [{ at: NOW, level: 'info' as const, message: 'it\'s "so"\n€ \0', data: { n: 1 } }];
  await reportRun(
    catalog.db,
    run,
    { lines, steps: [{ seq: 1, step: 'a', title: 'A', state: 'done', startedAt: NOW }] },
    NOW,
  );
  await measure(
    catalog.db,
    [
      { name: 'x_bytes', value: 0.1 },
      { name: 'x_bytes', app: 'clinic', value: 1e15 },
    ],
    NOW,
  );
  const point = {
    id: 'a'.repeat(64),
    app: 'clinic',
    time: NOW,
    bytes: 1,
    proof: 'stored',
    pinned: true,
    sources: [],
    storages: [],
  };
  await savePoint(catalog.db, point, NOW);
}

async function copyOf(catalog: Catalog, part: 'whole' | 'essential' = 'whole'): Promise<string> {
  const parts: string[] = [];
  await copyCatalog(catalog, { at: NOW, part }, (text) => void parts.push(text));
  return parts.join('');
}

async function* stream(text: string) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}

const withoutEnds = (text: string) => text.split('\n').filter((line) => line.startsWith('['));

test('from SQLite into PostgreSQL and back: every row the same, runs that were not over are cancelled', async () => {
  await using first = await onFile();
  await using second = await onServer();
  await using third = await onFile();
  await fill(first);
  const settle = { state: 'cancelled', lease_until: null, finished_at: NOW } as const;
  const copy = await copyOf(first);
  const report = await restoreCatalog(second, stream(copy), { now: NOW, replace: false });
  assert.deepEqual([report.at, report.part, report.rows], [NOW, 'whole', withoutEnds(copy).length]);
  await restoreCatalog(third, stream(await copyOf(second)), { now: NOW, replace: false });
  const lost = {
    error_code: 'run_lost',
    error_message: 'The catalog was put back from a copy that was made before this run was over.',
  };
  await first.db
    .updateTable('runs')
    .set({ ...settle, ...lost })
    .execute();
  const expected = withoutEnds(await copyOf(first));
  assert.deepEqual(withoutEnds(await copyOf(second)), expected);
  assert.deepEqual(withoutEnds(await copyOf(third)), expected);
  const { newest } = (await readEvents(second.db, 0, 10_000)).reduce(
    (max, { seq }) => ({ newest: Math.max(max.newest, seq) }),
    { newest: 0 },
  );
  await appendEvent(second.db, { type: 'wal.state' }, NOW);
  assert.equal((await readEvents(second.db, newest, 10)).length, 1);
  assert.equal(
    (await createRun(second.db, { app: 'clinic', kind: 'backup', trigger: 'cli', dedupe: '5' }, NOW)).created,
    false,
  );
});

test('a copy for the repository leaves out what the storages can tell again and logs', async () => {
  await using catalog = await onFile();
  await fill(catalog);
  await using again = await onFile();
  await restoreCatalog(again, stream(await copyOf(catalog, 'essential')), { now: NOW, replace: false });
  assert.equal((await listRuns(again.db, { limit: 2000 })).runs.length, 1100);
  assert.deepEqual(await readEvents(again.db, 0, 1), []);
});

test('a catalog that is not empty is left as it is, unless it is to be replaced', async () => {
  await using catalog = await onFile();
  const { run } = await createRun(catalog.db, { app: 'shop', kind: 'backup', trigger: 'cli' }, NOW);
  await using other = await onFile();
  const copy = await copyOf(other);
  await assert.rejects(restoreCatalog(catalog, stream(copy), { now: NOW, replace: false }), { code: 'target_exists' });
  assert.notEqual(await getRun(catalog.db, run.id), undefined);
  await restoreCatalog(catalog, stream(copy), { now: NOW, replace: true });
  assert.equal(await getRun(catalog.db, run.id), undefined);
});

test('a copy that was cut, changed or made up changes nothing', async () => {
  await using source = await onFile();
  await createRun(source.db, { app: 'clinic', kind: 'backup', trigger: 'cli' }, NOW);
  const good = await copyOf(source);
  const lines = good.split('\n');
  const header = lines[0]!;
  const bad: readonly [string, string][] = [
    ['nothing', ''],
    ['not a copy', '{"a":1}\n'],
    ['no JSON', 'hello\n'],
    ['cut in the middle', good.slice(0, good.length / 2)],
    ['cut before its end', `${lines.slice(0, -2).join('\n')}\n`],
    ['the last line feed missing', good.slice(0, -1)],
    ['a changed row', good.replace('clinic', 'clinac')],
    ['more after its end', `${good}[1]\n`],
    ['rows before a table', `${header}\n[1]\n`],
    ['a foreign table', `${header}\n{"table":"sqlite_master","columns":["sql"]}\n`],
    ['a table that is left out', `${header}\n{"table":"sessions","columns":["hash"]}\n`],
    ['a foreign column', `${header}\n{"table":"runs","columns":["id) values (1); --"]}\n`],
    ['a row that is too short', `${header}\n{"table":"mutes","columns":["id","until"]}\n["a"]\n`],
    ['text for a number', `${header}\n{"table":"mutes","columns":["id","until"]}\n["a","b"]\n`],
    ['an object for a value', `${header}\n{"table":"mutes","columns":["id","until"]}\n["a",{}]\n`],
  ];
  await using catalog = await onFile();
  const { run } = await createRun(catalog.db, { app: 'shop', kind: 'backup', trigger: 'cli' }, NOW);
  for (const [what, copy] of bad) {
    await assert.rejects(
      restoreCatalog(catalog, stream(copy), { now: NOW, replace: true }),
      { code: 'data_damaged' },
      what,
    );
    assert.notEqual(await getRun(catalog.db, run.id), undefined, what);
  }
  const later = good.replace(/"migrations":\[[^\]]*\]/, '"migrations":["0001-first","9999-later"]');
  await assert.rejects(restoreCatalog(catalog, stream(later), { now: NOW, replace: true }), /another version/);
});

for (const [name, open] of Object.entries({ SQLite: onFile, PostgreSQL: onServer })) {
  describe(name, () => {
    test('every table is copied or left out on purpose', async () => {
      await using catalog = await open();
      const there = (await catalog.db.introspection.getTables()).map((table) => table.name);
      const listed: string[] = [...COPIED.map((table) => table.name), ...LEFT_OUT, 'catalog_migrations'];
      assert.deepEqual(there.filter((table) => table !== 'sqlite_sequence').sort(), listed.sort());
    });

    test('what is old goes at its time; what is open stays', async () => {
      await using catalog = await open();
      const old = NOW - KEPT.runs - DAY;
      const waiting = await createRun(
        catalog.db,
        { app: 'a', kind: 'backup', trigger: 'cli', notBefore: NOW * 2 },
        old,
      );
      const over = await createRun(catalog.db, { app: 'a', kind: 'backup', trigger: 'cli', state: 'skipped' }, old);
      const logged = await createRun(catalog.db, { app: 'a', kind: 'backup', trigger: 'cli' }, NOW - KEPT.runLog - DAY);
      const run = (await claimRun(catalog, { id: 'w', labels: {} }, NOW, 1000))!;
      await reportRun(catalog.db, run, { lines: [{ at: NOW, level: 'info', message: 'x' }] }, NOW - 1);
      const figure = [{ name: 'x_bytes', value: 1 }];
      for (const hour of [1, 5, 23, 25])
        await measure(catalog.db, figure, NOW - KEPT.everyMeasurement - 5 * DAY - 3 * 3_600_000 + hour * 3_600_000);
      await measure(catalog.db, figure, NOW - KEPT.measurements - 1);
      await sql`insert into idempotency (actor, key, request, created_at) values ('a', 'old', '', ${NOW - DAY - 1}), ('a', 'new', '', ${NOW})`.execute(
        catalog.db,
      );
      assert.deepEqual(await sweep(catalog.db, NOW), {
        events: 3,
        runLog: 1,
        runs: 1,
        everyMeasurement: 2,
        measurements: 1,
        idempotency: 1,
        deliveries: 0,
        alerts: 0,
      });
      assert.equal(await getRun(catalog.db, over.run.id), undefined);
      assert.equal((await getRun(catalog.db, waiting.run.id))?.state, 'queued');
      assert.deepEqual(await readLog(catalog.db, logged.run.id, { limit: 9 }), []);
      assert.equal((await readSeries(catalog.db, { name: 'x_bytes', limit: 9 })).length, 2);
    });
  });
}
