/** `holdfast rows` and `rows diff`, from a point: into files, back into the running database and out of it again, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { HoldfastResult } from '../support/holdfast.ts';
import { runSql } from '../support/postgres/server.ts';
import { type WalWorld, walWorld } from '../support/wal-world.ts';

const TABLES = `
  CREATE TABLE patients (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text);
  CREATE TABLE visits (id int PRIMARY KEY, patient int NOT NULL REFERENCES patients ON DELETE CASCADE);
  INSERT INTO patients (name, note) VALUES ('Ada', ''), ('Bob, "the Builder"', NULL), (E'Zoë\\nZ', 'x');
  INSERT INTO visits SELECT i, 1 + i % 3 FROM generate_series(1, 9) i`;

describe('rows', () => {
  let world: WalWorld;
  let at: string;
  const run = (...args: readonly string[]) => world.run(['rows', '--at', at, ...args]);
  /** The error code of a run that must end with `exit`. */
  const refused = async (exit: number, ...args: readonly string[]) =>
    codeOf(await world.run(['--json', 'rows', '--at', at, ...args], [exit]));
  const all = async () =>
    runSql(
      world.server.url(),
      'SELECT (SELECT json_agg(p ORDER BY id) FROM patients p)::text AS p, (SELECT json_agg(v ORDER BY id) FROM visits v)::text AS v',
    );

  before(async () => {
    world = await walWorld(17, 'off');
    await world.server.sql(TABLES);
    await world.run(['backup']);
    const [point] = (await world.run(['points', '--json'])).document<readonly { readonly id: string }[]>();
    at = String(point?.id).slice(0, 10);
    await world.server.sql(
      `DELETE FROM patients WHERE id = 2; UPDATE patients SET note = 'changed' WHERE id = 3; INSERT INTO patients (name) VALUES ('New')`,
    );
  });
  after(() => world?.[Symbol.asyncDispose]());

  test('a table goes into a file of CSV or JSON, which its owner reads and nothing replaces unasked', async () => {
    const csv = world.dir.join('patients.csv');
    const done = await run('--table', 'patients', '--to', csv);
    assert.match(done.stdout, /^3 rows of public\.patients in .*patients\.csv$/m);
    assert.equal(await readFile(csv, 'utf8'), 'id,name,note\n1,Ada,""\n2,"Bob, ""the Builder""",\n3,"Zoë\nZ",x\n');
    assert.equal((await stat(csv)).mode & 0o777, 0o600);
    assert.equal(await refused(1, '--table', 'patients', '--to', csv), 'target_exists');
    const newest = ['rows', 'latest', '--table', 'public.patients', '--where', 'id > 1', '--to', csv, '--force'];
    await world.run(newest);
    assert.equal(codeOf(await world.run(['--json', ...newest, '--at', at], [2])), 'usage');
    assert.equal(await readFile(csv, 'utf8'), 'id,name,note\n2,"Bob, ""the Builder""",\n3,"Zoë\nZ",x\n');
    const json = world.dir.join('patients.json');
    const { summary } = await run('--table', 'patients', '--to', json, '--json');
    assert.deepEqual([summary?.rows, summary?.file, summary?.table], [3, json, 'public.patients']);
    assert.deepEqual(JSON.parse(await readFile(json, 'utf8')), [
      { id: 1, name: 'Ada', note: '' },
      { id: 2, name: 'Bob, "the Builder"', note: null },
      { id: 3, name: 'Zoë\nZ', note: 'x' },
    ]);
    assert.equal(
      (await run('--table', 'visits', '--where', 'id = 4', '--to', '-', '--quiet')).stdout,
      'id,patient\n4,2\n',
    );
  });

  test('without the name of the database nothing is written, and nothing is even restored', async () => {
    const broken = await all();
    const into = ['--table', 'patients', '--merge-into', 'database'];
    const started = (result: HoldfastResult) => result.lines.some(({ step }) => step === 'sandbox:restore');
    const none = await world.run(['--json', 'rows', '--at', at, ...into], [2]);
    assert.deepEqual([codeOf(none), started(none)], ['confirmation_missing', false]);
    const wrong = await world.run(['--json', 'rows', '--at', at, ...into, '--confirm', 'clinic'], [2]);
    assert.deepEqual([codeOf(wrong), started(wrong)], ['confirmation_missing', false]);
    assert.deepEqual(await all(), broken);
    const whole = await run('--schema', 'public', '--merge-into', 'database', '--dry-run', '--json');
    assert.ok(started(whole), 'the step that is looked for is the one that is told');
    assert.match(
      JSON.stringify(whole.summary?.tables),
      /"patients".*"visits"|"visits".*"patients"/,
      'of a schema, all tables',
    );
    const dry = await run(...into, '--related', '--dry-run');
    assert.match(dry.stdout, /public\.patients +1 +1 +1/);
    assert.match(dry.stdout, /public\.visits +3 +0 +6/);
    assert.match(dry.stdout, /patients id = 3: note: x then, changed now/);
    assert.match(dry.stdout, /Nothing was written\./);
    assert.deepEqual(await all(), broken);
    assert.deepEqual(
      (await readdir(world.dir.path)).filter((name) => name.endsWith('.sql')),
      [],
    );
  });

  test('a deleted patient comes back with its visits, and the script undoes exactly that', async () => {
    const broken = await all();
    const script = world.dir.join('undo.sql');
    const args = [
      '--table',
      'patients',
      '--related',
      '--update',
      '--merge-into',
      'database',
      '--confirm',
      'postgres',
      '--reversal',
      script,
    ];
    const done = await run(...args);
    assert.match(done.stdout, /Into postgres: 4 rows inserted, 1 made as they were\./);
    assert.match(done.stdout, /To undo this: psql -v ON_ERROR_STOP=1 -f \S*undo\.sql \S+$/m);
    const rows = await world.server.sql('SELECT id, name, note FROM patients ORDER BY id');
    assert.deepEqual(rows[1], { id: 2, name: 'Bob, "the Builder"', note: null });
    assert.deepEqual([rows.length, rows[2]?.note], [4, 'x']);
    assert.equal((await stat(script)).mode & 0o777, 0o600);
    assert.equal(await refused(1, ...args), 'target_exists');
    await runSql(world.server.url(), await readFile(script, 'utf8'));
    assert.deepEqual(await all(), broken);
  });

  test('rows diff tells what happened to a table since', async () => {
    const told = await world.run(['rows', 'diff', '--from', at, '--table', 'patients']);
    assert.match(told.stdout, /^- id = 2 {2}id: 2, name: Bob, "the Builder", note: NULL$/m);
    assert.match(told.stdout, /^~ id = 3 {2}note: x → changed$/m);
    assert.match(told.stdout, /^\+ id = 4 {2}/m);
    assert.match(told.stdout, /public\.patients: 1 added, 1 removed, 1 changed, 1 the same\./);

    await world.run(['backup']);
    await world.server.sql('DELETE FROM patients WHERE id = 1');
    const moments = ['--from', at, '--to', 'latest', '--table', 'patients'];
    const between = await world.run(['rows', 'diff', ...moments]);
    assert.match(
      between.stdout,
      /public\.patients: 1 added, 1 removed, 1 changed, 1 the same\./,
      'not what came later',
    );
  });

  test('what cannot be meant is refused before anything happens', async () => {
    const secret = 'postgres://postgres:hunter2@127.0.0.1:1/postgres';
    const result = await world.run(
      ['--json', 'rows', '--at', at, '--table', 'patients', '--merge-into', secret, '--dry-run'],
      [2],
    );
    assert.equal(codeOf(result), 'usage');
    assert.doesNotMatch(result.stdout + result.stderr, /hunter2/);
    assert.equal(await refused(2, '--table', 'patients'), 'usage');
    assert.equal(await refused(2, '--to', 'x.csv'), 'usage');
    assert.equal(await refused(2, '--table', 'patients', '--to', 'x.xml'), 'usage');
    assert.equal(await refused(2, '--table', 'patients', '--to', 'x.csv', '--update'), 'usage');
    assert.equal(await refused(2, '--table', 'patients', '--to', 'x.csv', '--where', 'nonsense = 1'), 'usage');
    assert.equal(await refused(1, '--table', 'patient', '--to', 'x.csv'), 'table_unknown');
    assert.equal(existsSync(world.dir.join('x.csv')), false);
  });
});

function codeOf({ error }: HoldfastResult): unknown {
  return error?.error;
}
