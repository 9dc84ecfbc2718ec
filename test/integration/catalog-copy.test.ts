/** Copies of the catalog, from one database into the other and back; catalogs of earlier forms; what is let go with time. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { isFailure } from '../../src/base/failure.ts';
import { idFloor, newId } from '../../src/base/ids.ts';
import { raise } from '../../src/catalog/alerts.ts';
import { createApproval, listApprovals } from '../../src/catalog/approvals.ts';
import { appendAudit } from '../../src/catalog/audit.ts';
import { type Catalog, type CatalogPlace, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun } from '../../src/catalog/claim.ts';
import { COPIED, LEFT_OUT } from '../../src/catalog/copy/tables.ts';
import { copyCatalog, restoreCatalog } from '../../src/catalog/copy.ts';
import { appendEvent, newestEvent, readEvents } from '../../src/catalog/events.ts';
import { type KeepTimes, sweep } from '../../src/catalog/housekeeping.ts';
import { measure, readSeries } from '../../src/catalog/measurements.ts';
import { MIGRATIONS, type Migration, migrate } from '../../src/catalog/migrations.ts';
import { addMute } from '../../src/catalog/mutes.ts';
import { savePoint } from '../../src/catalog/points.ts';
import { readLog, reportRun } from '../../src/catalog/run-log.ts';
import { createRun, getRun, listRuns } from '../../src/catalog/runs.ts';
import { createSession } from '../../src/catalog/sessions.ts';
import { verifyAudit } from '../../src/catalog/verify-audit.ts';
import {
  countRows,
  FORMS,
  madeTables,
  makeForm,
  rowsOfForm,
  shapeOf,
  writtenTables,
} from '../support/catalog-forms.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 21, 3);
const DAY = 24 * 3_600_000;
const KEEP: KeepTimes = {
  ...{ events: 14 * DAY, logs: 90 * DAY, runs: 1095 * DAY, figures: 30 * DAY, dailyFigures: 1095 * DAY },
  ...{ deliveries: 90 * DAY, alerts: 365 * DAY, approvals: 365 * DAY },
};

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
const newFile = async (): Promise<CatalogPlace> => ({ path: join(directory.path, `${++made}.sqlite`) });
const newDatabase = async (): Promise<CatalogPlace> => {
  const database = `copy${++made}`;
  await server.sql(`create database ${database}`);
  return { url: server.url({ database }) };
};
const onFile = async () => openCatalog(await newFile());
const onServer = async () => openCatalog(await newDatabase());

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
  await assert.rejects(restoreCatalog(catalog, stream(later), { now: NOW, replace: true }), (error) => {
    assert.ok(isFailure(error, 'catalog_failed'));
    assert.match(
      `${error.message} ${error.hint}`,
      /newer Holdfast \(it has "9999-later"\)\. Import it with that version/,
    );
    return true;
  });
});

for (const [name, newPlace] of Object.entries({ SQLite: newFile, PostgreSQL: newDatabase })) {
  const open = async () => openCatalog(await newPlace());

  describe(name, () => {
    test('a migration makes for ever what it made when its form was kept', async () => {
      for (const form of FORMS) {
        const place = await newPlace();
        const tables = await madeTables(place, form);
        assert.equal(tables, await writtenTables(place, form, tables), form);
        const made = [...tables.matchAll(/^create table (?:if not exists )?"?(\w+)/gm)].map(([, table]) => table!);
        for (const table of made.filter((each) => each !== 'catalog_migrations'))
          assert.ok(rowsOfForm(form).has(table), `${form} has no row of ${table}`);
      }
    });

    test('a catalog of each form there was is brought to that of today, with every row, and works on', async () => {
      await using today = await open();
      for (const form of FORMS) {
        const place = await newPlace();
        await makeForm(place, form);
        await using catalog = await openCatalog(place);
        assert.deepEqual(await shapeOf(catalog), await shapeOf(today), form);
        const rows = rowsOfForm(form);
        for (const [table, count] of rows) assert.equal(await countRows(catalog.db, table), count, `${form}: ${table}`);
        assert.equal((await verifyAudit(catalog)).seq, rows.get('audit'));
        const newest = await newestEvent(catalog.db);
        const run = await claimRun(catalog, { id: 'w2', labels: { site: 'north' } }, NOW + DAY, 1000);
        assert.equal(run?.reason, 'Stands for 1 missed before.');
        assert.ok((await newestEvent(catalog.db)) > newest);
      }
    });

    test('every table is copied or left out on purpose', async () => {
      await using catalog = await open();
      const there = (await catalog.db.introspection.getTables()).map((table) => table.name);
      const listed: string[] = [...COPIED.map((table) => table.name), ...LEFT_OUT, 'catalog_migrations'];
      assert.deepEqual(there.filter((table) => table !== 'sqlite_sequence').sort(), listed.sort());
    });

    test('a copy of an earlier form comes into a catalog of a later one, and is brought up to date; a newer one is refused', async () => {
      await using old = await onFile();
      const { run } = await createRun(old.db, { app: 'clinic', kind: 'backup', trigger: 'cli' }, NOW);
      await addMute(old.db, { matches: {}, until: NOW, createdBy: 'eve' }, NOW);
      const copy = await copyOf(old);
      await using catalog = await open();
      const up: Migration['up'] = async (db) => {
        await db.schema.alterTable('mutes').addColumn('colour', 'text').execute();
        await sql`update mutes set colour = 'red' where created_by = 'eve'`.execute(db);
      };
      const migrations = { ...MIGRATIONS, '0002-later': { up } };
      await migrate(catalog.db, migrations);
      await createRun(catalog.db, { app: 'other', kind: 'backup', trigger: 'cli' }, NOW);
      const options = { now: NOW, replace: false, migrations };
      await assert.rejects(restoreCatalog(catalog, stream(copy), options), { code: 'target_exists' });
      await assert.rejects(restoreCatalog(catalog, stream(copy.slice(0, -20)), { ...options, replace: true }), {
        code: 'data_damaged',
      });
      assert.equal((await listRuns(catalog.db, { limit: 9 })).runs[0]?.app, 'other', 'and nothing had changed');
      await restoreCatalog(catalog, stream(copy), { ...options, replace: true });
      const { runs } = await listRuns(catalog.db, { limit: 9 });
      assert.deepEqual(
        runs.map(({ id, state }) => [id, state]),
        [[run.id, 'cancelled']],
      );
      const mutes = await sql`select created_by, colour from mutes`.execute(catalog.db);
      assert.deepEqual(
        mutes.rows.map((row) => ({ ...(row as object) })),
        [{ created_by: 'eve', colour: 'red' }],
      );
      const forms = await sql<{ name: string }>`select name from catalog_migrations order by name`.execute(catalog.db);
      assert.deepEqual(
        forms.rows.map(({ name }) => name),
        Object.keys(migrations),
      );
      await migrate(catalog.db, migrations);
      await appendEvent(catalog.db, { type: 'wal.state' }, NOW);
    });

    test('what is old goes at its time; what is open stays', async () => {
      await using catalog = await open();
      const { db } = catalog;
      const old = NOW - KEEP.runs - DAY;
      const asked = { app: 'a', kind: 'backup', trigger: 'cli' } as const;
      const waiting = await createRun(db, { ...asked, notBefore: NOW * 2 }, old);
      const over = await createRun(db, { ...asked, state: 'skipped' }, old);
      const logged = await createRun(db, asked, NOW - KEEP.logs - DAY);
      const run = (await claimRun(catalog, { id: 'w', labels: {} }, NOW, 1000))!;
      await reportRun(db, run, { lines: [{ at: NOW, level: 'info', message: 'x' }] }, NOW - 1);
      const figure = [{ name: 'x_bytes', value: 1 }];
      for (const hour of [1, 5, 23, 25])
        await measure(db, figure, NOW - KEEP.figures - 5 * DAY - 3 * 3_600_000 + hour * 3_600_000);
      await measure(db, figure, NOW - KEEP.dailyFigures - 1);
      await sql`insert into idempotency (actor, key, request, created_at) values ('a', 'old', '', ${NOW - DAY - 1}), ('a', 'new', '', ${NOW})`.execute(
        db,
      );
      await oldAffairs(catalog);
      const first = await sweep(db, KEEP, NOW);
      assert.deepEqual(first, {
        ...{ events: 6, logs: 1, steps: 1, inputs: 1, runs: 1, figures: 2, dailyFigures: 1, deliveries: 1, alerts: 1 },
        ...{ mutes: 1, approvals: 1, tokens: 1, sessions: 1, logIns: 1, answers: 1 },
      });
      assert.ok(Object.values(await sweep(db, KEEP, NOW)).every((gone) => gone === 0));
      const states = await db.selectFrom('alerts').select(['cause', 'state']).orderBy('cause').execute();
      assert.deepEqual(
        states.map(({ cause, state }) => [cause, state]),
        [
          ['answered', 'ACKNOWLEDGED'],
          ['open', 'ACTIVE'],
        ],
      );
      assert.deepEqual(
        (await listApprovals(db, { limit: 9 })).map(({ action }) => action),
        ['forget'],
      );
      assert.equal((await db.selectFrom('audit').selectAll().execute()).length, 1, 'the audit log is for ever');
      assert.equal(await getRun(catalog.db, over.run.id), undefined);
      assert.equal((await getRun(catalog.db, waiting.run.id))?.state, 'queued');
      assert.deepEqual(await readLog(catalog.db, logged.run.id, { limit: 9 }), []);
      assert.equal((await readSeries(catalog.db, { name: 'x_bytes', limit: 9 })).length, 2);
    });
  });
}

/** Of everything that comes and goes, something older than it is kept, and beside it what must stay however old it is. */
async function oldAffairs({ db }: Catalog): Promise<void> {
  const old = NOW - KEEP.alerts - 2 * DAY;
  const finding = { rule: 'backup_failure', severity: 'ERROR', title: 't', message: 'm' } as const;
  for (const cause of ['open', 'answered', 'over']) await raise(db, { ...finding, cause }, old);
  await sql`update alerts set state = case cause when 'over' then 'RESOLVED' when 'answered' then 'ACKNOWLEDGED' else state end`.execute(
    db,
  );
  const delivery = {
    alert_id: null,
    channel: 'c',
    event: 'fire',
    attempts: 1,
    next_at: old,
    created_at: old,
    body: '{}',
  };
  const more = { digest: null, sent_at: null, status: null, error: null };
  await db.deleteFrom('deliveries').execute();
  for (const state of ['sent', 'pending'] as const)
    await db
      .insertInto('deliveries')
      .values({ ...delivery, ...more, id: newId(old), state })
      .execute();
  await addMute(db, { matches: {}, until: old, createdBy: 'eve' }, old);
  await addMute(db, { matches: {}, until: NOW + DAY, createdBy: 'eve' }, old);
  for (const [action, state] of [
    ['prune', 'refused'],
    ['forget', 'pending'],
  ] as const) {
    const { id } = await createApproval(db, { action, params: {}, requestedBy: 'eve', expiresAt: old }, old - DAY);
    await db.updateTable('approvals').set({ state }).where('id', '=', id).execute();
  }
  const role = 'viewer' as const;
  const token = { user_id: null, role, apps: '[]', scopes: '[]', created_by: 'eve', created_at: old, used_at: null };
  const ends = [
    [old, null],
    [null, null],
    [NOW + DAY, null],
  ] as const;
  for (const [at, [expires_at, revoked_at]] of ends.entries())
    await db
      .insertInto('tokens')
      .values({ ...token, id: `t${at}`, name: `t${at}`, hash: `h${at}`, expires_at, revoked_at })
      .execute();
  await sql`insert into users (id, name, recovery_codes, disabled, created_at, updated_at) values ('u', 'eve', '[]', 0, 0, 0)`.execute(
    db,
  );
  for (const expiresAt of [NOW - 1, NOW + 1])
    await createSession(db, { hash: `${expiresAt}`, userId: 'u', csrf: 'c', expiresAt }, old);
  const logIn = { browser: 'b', nonce: 'n', verifier: 'v' };
  await db
    .insertInto('oidc_logins')
    .values([
      { ...logIn, state: 'a', expires_at: NOW - 1 },
      { ...logIn, state: 'b', expires_at: NOW + 1 },
    ])
    .execute();
  const runId = idFloor(NOW - KEEP.runs - DAY);
  await sql`insert into run_steps (run_id, attempt, seq, step, title, state, started_at) values (${runId}, 1, 1, 's', 't', 'done', 0)`.execute(
    db,
  );
  await sql`insert into run_inputs (run_id, seq, at, "by", kind) values (${runId}, 1, 0, 'eve', 'note')`.execute(db);
  await appendAudit(db, { actor: 'eve', action: 'log-in', outcome: 'ok' }, 0);
}
