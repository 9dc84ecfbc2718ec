/** Rows of an earlier database merged into a later one: whole, undoable, or not at all. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { rowDatabases } from './fixtures/row-databases.ts';

const available = await majors();
const MAIN = 17;
const server = await startPostgres({ major: MAIN });
after(() => server.stop('immediate'));

const CLINIC = `
  CREATE TABLE clinics (id int PRIMARY KEY, name text NOT NULL);
  CREATE TABLE patients (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, clinic int NOT NULL REFERENCES clinics,
    name text NOT NULL, email text UNIQUE, born date, search text GENERATED ALWAYS AS (lower(name)) STORED);
  CREATE TABLE encounters (id serial PRIMARY KEY, patient bigint NOT NULL REFERENCES patients ON DELETE CASCADE, note text);
  CREATE TABLE photos (encounter int REFERENCES encounters ON DELETE CASCADE, page int, bytes bytea, PRIMARY KEY (encounter, page));
  INSERT INTO clinics VALUES (1, 'North'), (2, 'South');
  INSERT INTO patients (clinic, name, email, born)
    SELECT 1 + i % 2, 'Patient ' || i, 'p' || i || '@example.org', date '1950-01-01' + i FROM generate_series(1, 20) i;
  INSERT INTO encounters (patient, note) SELECT 1 + i % 20, 'Note ' || i FROM generate_series(1, 100) i;
  INSERT INTO photos SELECT id, p, decode(repeat(lpad(to_hex(id % 256), 2, '0'), 100), 'hex') FROM encounters, generate_series(1, 2) p;
`;

async function wholePatientComesBack(at: TestServer): Promise<void> {
  await using world = await rowDatabases(at, CLINIC, 'DELETE FROM patients WHERE id = 7');
  const broken = await world.dump();
  const outcome = await world.merge({ tables: ['patients'], where: 'id = 7', related: true });
  assert.deepEqual(
    outcome.plan.tables.map(({ name, insert, selected, related, parents }) => [
      name,
      insert,
      selected,
      related,
      parents,
    ]),
    [
      ['patients', 1, 1, 0, 0],
      ['encounters', 5, 0, 5, 0],
      ['photos', 10, 0, 10, 0],
    ],
  );
  assert.equal(outcome.done?.inserted, 16);
  assert.deepEqual(await world.dump(), await world.dump('past'));
  await world.undo(outcome);
  assert.deepEqual(await world.dump(), broken);
}

for (const major of available.filter((each) => each !== MAIN && each !== 16)) {
  test(`PostgreSQL ${major}: a deleted patient comes back whole, and goes again`, async () => {
    await using other = await startPostgres({ major });
    await wholePatientComesBack(other);
  });
}

test('a deleted patient comes back whole, and goes again', () => wholePatientComesBack(server));

test('without related rows only the patient comes, and missing parents come with what needs them', async () => {
  await using world = await rowDatabases(
    server,
    CLINIC,
    'DELETE FROM patients WHERE clinic = 2; DELETE FROM clinics WHERE id = 2',
  );
  const broken = await world.dump();
  const photos = await world.merge({ tables: ['photos'], where: 'encounter = 2' });
  assert.deepEqual(
    photos.plan.tables.map(({ name, insert, parents }) => [name, insert, parents]),
    [
      ['photos', 2, 0],
      ['encounters', 1, 1],
      ['patients', 1, 1],
      ['clinics', 1, 1],
    ],
  );
  assert.equal(photos.done?.inserted, 5);
  await world.undo(photos);
  assert.deepEqual(await world.dump(), broken);
  const all = await world.merge({ tables: ['clinics'], related: true });
  assert.deepEqual(await world.dump(), await world.dump('past'));
  await world.undo(all);
  assert.deepEqual(await world.dump(), broken);
});

test('a table that refers to itself, and two that refer to each other, come back in one piece', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE staff (id int PRIMARY KEY, boss int REFERENCES staff);
     INSERT INTO staff VALUES (1, NULL), (2, 1), (3, 2), (4, 3);
     CREATE TABLE teams (id int PRIMARY KEY, lead int NOT NULL);
     CREATE TABLE people (id int PRIMARY KEY, team int NOT NULL REFERENCES teams);
     BEGIN; INSERT INTO teams VALUES (1, 10); INSERT INTO people VALUES (10, 1), (11, 1); COMMIT;
     ALTER TABLE teams ADD FOREIGN KEY (lead) REFERENCES people;`,
    `DELETE FROM staff; ALTER TABLE teams DISABLE TRIGGER ALL; ALTER TABLE people DISABLE TRIGGER ALL;
     DELETE FROM teams; DELETE FROM people; ALTER TABLE teams ENABLE TRIGGER ALL; ALTER TABLE people ENABLE TRIGGER ALL`,
  );
  const broken = await world.dump();
  const lowest = await world.merge({ tables: ['staff'], where: 'id = 4' });
  assert.deepEqual([lowest.done?.inserted, lowest.plan.tables[0]?.parents], [4, 3]);
  const circle = await world.merge({ tables: ['teams'] });
  assert.equal(circle.done?.inserted, 2, 'the team and its lead');
  await world.undo(circle);
  const whole = await world.merge({ tables: ['teams'], related: true });
  assert.equal(whole.done?.inserted, 3);
  assert.deepEqual(await world.dump(), await world.dump('past'));
  await world.undo(whole);
  await world.undo(lowest);
  assert.deepEqual(await world.dump(), broken);
});

test('rows that differ are shown and stay, and become as they were on request', async () => {
  await using world = await rowDatabases(
    server,
    CLINIC,
    `UPDATE patients SET name = 'Wrong', born = NULL WHERE id = 3; DELETE FROM patients WHERE id = 4; DELETE FROM encounters WHERE id = 1`,
  );
  const broken = await world.dump();
  const seen = await world.merge({ tables: ['patients'], dry: true });
  const [plan] = seen.plan.tables;
  assert.deepEqual([plan?.insert, plan?.update, plan?.conflicting, plan?.identical], [1, 0, 1, 18]);
  assert.deepEqual(plan?.conflicts[0]?.key, { id: '3' });
  assert.deepEqual(plan?.conflicts[0]?.columns, [
    { name: 'name', was: 'Patient 3', is: 'Wrong' },
    { name: 'born', was: '1950-01-04', is: null },
    { name: 'search', was: 'patient 3', is: 'wrong' },
  ]);
  assert.equal(seen.done, undefined);
  assert.deepEqual(await world.dump(), broken);
  const kept = await world.merge({ tables: ['patients'] });
  assert.deepEqual([kept.done?.inserted, kept.done?.updated], [1, 0]);
  const made = await world.merge({ tables: ['patients'], update: true, related: true });
  assert.deepEqual([made.done?.inserted, made.done?.updated], [18, 1]);
  assert.equal(
    (await world.merge({ tables: ['patients'], update: true, related: true })).done,
    undefined,
    'nothing is left to do',
  );
  await world.undo(made);
  await world.undo(kept);
  assert.deepEqual(await world.dump(), broken);
});

test('a value that must be unique and is taken is named, and nothing is merged', async () => {
  await using world = await rowDatabases(
    server,
    CLINIC,
    `DELETE FROM patients WHERE id IN (5, 6); INSERT INTO patients (clinic, name, email) VALUES (1, 'New', 'p5@example.org')`,
  );
  const broken = await world.dump();
  await assert.rejects(world.merge({ tables: ['patients'], related: true }), {
    code: 'rows_refused',
    message: /^1 rows cannot come: another row of public\.patients has email = p5@example\.org now.*patients_email_key/,
  });
  assert.deepEqual(await world.dump(), broken);
  assert.deepEqual(await readdir(world.dir.path), []);
});

test('sequences move forward past the rows that came, and never back', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE a (id serial PRIMARY KEY, x int); INSERT INTO a (x) SELECT 1 FROM generate_series(1, 50);
     CREATE TABLE b (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, x int); INSERT INTO b (x) VALUES (1), (2);
     CREATE SEQUENCE codes; CREATE TABLE c (code text PRIMARY KEY DEFAULT 'P' || nextval('codes')); INSERT INTO c VALUES (DEFAULT), (DEFAULT);`,
    `TRUNCATE a RESTART IDENTITY; DELETE FROM b; SELECT setval('b_id_seq', 900); DELETE FROM c`,
  );
  const outcome = await world.merge({ schemas: ['public'] });
  assert.deepEqual(outcome.done?.sequences, [
    { sequence: '"public"."a_id_seq"', before: { value: '1', called: false }, after: '50' },
  ]);
  assert.deepEqual(await world.now('INSERT INTO a (x) VALUES (2) RETURNING id'), [{ id: 51 }]);
  assert.deepEqual(await world.now('DELETE FROM a WHERE id = 51; INSERT INTO b (x) VALUES (2) RETURNING id'), [
    { id: 901 },
  ]);
  await world.now('DELETE FROM b WHERE id = 901');
  await world.undo(outcome);
  assert.deepEqual(await world.now(`SELECT last_value::int AS last FROM a_id_seq`), [{ last: 51 }], 'drawn from since');
});

test("the application's triggers are told, fire, or stay silent; a row that one swallows refuses the merge", async () => {
  const touch = (body: string) =>
    `CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN ${body} END $f$`;
  await using world = await rowDatabases(
    server,
    `CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners VALUES (1), (2);
     CREATE TABLE t (id int PRIMARY KEY, owner int REFERENCES owners, x text); INSERT INTO t VALUES (1, 1, 'as it was');
     ${touch(`NEW.x := 'touched'; RETURN NEW;`)}; CREATE TRIGGER touching BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()`,
    'DELETE FROM t; UPDATE t SET x = x',
  );
  const broken = await world.dump();
  const fired = await world.merge({ tables: ['t'] });
  assert.deepEqual(
    fired.plan.tables[0]?.triggers.map(({ name, kind, action }) => [name, kind, action]),
    [['touching', 'trigger', 'public.touch()']],
  );
  assert.deepEqual([fired.done?.inserted, fired.done?.altered], [1, 1]);
  assert.deepEqual(await world.now('SELECT x FROM t'), [{ x: 'touched' }]);
  await world.undo(fired);
  assert.deepEqual(await world.dump(), broken);
  const silent = await world.merge({ tables: ['t'], triggers: false });
  assert.equal(silent.done?.altered, 0);
  assert.deepEqual((await world.dump())['public.t'], ['(1,1,"as it was")']);
  await world.undo(silent);
  await world.now(touch('RETURN NULL;'));
  await assert.rejects(world.merge({ tables: ['t'] }), {
    code: 'rows_refused',
    message: /a trigger or rule of the table dropped them/,
  });
  assert.deepEqual(await world.dump(), broken);
});

test('a role from which policies hide rows is refused, and one without rights is told what is missing', async () => {
  await server.sql('CREATE ROLE clerk LOGIN');
  await using world = await rowDatabases(
    server,
    `CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 1), (2, 2); GRANT ALL ON t TO clerk;
     CREATE TABLE secret (id int PRIMARY KEY); INSERT INTO secret VALUES (1);
     ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (x = 1) WITH CHECK (true)`,
    'DELETE FROM t; DELETE FROM secret',
  );
  await assert.rejects(world.merge({ tables: ['t'], user: 'clerk' }), {
    code: 'rows_refused',
    message: /Row-level security would hide rows of public\.t .* from clerk/,
    hint: /BYPASSRLS/,
  });
  await assert.rejects(world.merge({ tables: ['secret'], user: 'clerk' }), {
    message: /permission denied/,
    hint: /Grant what is missing to "clerk"/,
  });
  assert.deepEqual(await world.dump(), { 'public.secret': [], 'public.t': [] });
});

test('a merge that fails half way leaves neither rows nor a script', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, x int);
     INSERT INTO a SELECT generate_series(1, 100); INSERT INTO b SELECT i, i, i FROM generate_series(1, 100) i`,
    `DELETE FROM b; DELETE FROM a; ALTER TABLE b ADD CHECK (x < 100)`,
  );
  const broken = await world.dump();
  await assert.rejects(world.merge({ tables: ['a'], related: true }), /violates check constraint/);
  assert.deepEqual(await world.dump(), broken);
  assert.deepEqual(await readdir(world.dir.path), []);
});

test('interrupted, or with its session ended by the server, a merge leaves neither rows nor a script', async () => {
  await using world = await rowDatabases(server, CLINIC, 'DELETE FROM patients; DELETE FROM clinics');
  const broken = await world.dump();
  const interruption = new AbortController();
  const all = { schemas: ['public'] };
  await assert.rejects(world.merge({ ...all, signal: interruption.signal, onPlan: async () => interruption.abort() }), {
    code: 'interrupted',
  });
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`;
  await assert.rejects(world.merge({ ...all, onPlan: async () => void (await world.now(end)) }), {
    code: 'postgres_unreachable',
  });
  assert.deepEqual(await world.dump(), broken);
  assert.deepEqual(await readdir(world.dir.path), []);
});

test('killed while it writes, a merge leaves no rows; the script it may leave changes nothing', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10);
     CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $f$;
     CREATE CONSTRAINT TRIGGER dying AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()`,
    'DELETE FROM t',
  );
  await assert.rejects(world.merge({ tables: ['t'] }), { code: 'postgres_unreachable' });
  assert.deepEqual(await world.dump(), { 'public.t': [] });
  await world.now('ALTER TABLE t DISABLE TRIGGER dying');
  const { done } = await world.merge({ tables: ['t'] });
  await world.now('DELETE FROM t');
  await assert.rejects(
    world.now(await readFile(done!.reversal, 'utf8')),
    /10 rows of public\.t were changed or removed/,
  );
});

test('somebody who changes the same rows meanwhile makes the merge start anew', async () => {
  await using world = await rowDatabases(
    server,
    'CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t VALUES (1, 1), (2, 2)',
    'UPDATE t SET x = 0',
  );
  let plans = 0;
  const outcome = await world.merge({
    tables: ['t'],
    update: true,
    onPlan: async () => {
      if (++plans === 1) await world.now('UPDATE t SET x = 5 WHERE id = 1');
    },
  });
  assert.equal(plans, 2);
  assert.deepEqual(outcome.plan.tables[0]?.conflicts[0]?.columns, [{ name: 'x', was: '1', is: '5' }]);
  assert.deepEqual(await world.dump(), await world.dump('past'));
  await world.undo(outcome);
  assert.deepEqual((await world.dump())['public.t'], ['(1,5)', '(2,0)']);
});

test('the reversal refuses when a row was changed since, or when something refers to it', async () => {
  await using world = await rowDatabases(server, CLINIC, 'DELETE FROM patients WHERE id = 7');
  const outcome = await world.merge({ tables: ['patients'], where: 'id = 7' });
  await world.now(`INSERT INTO encounters (patient, note) VALUES (7, 'since')`);
  await assert.rejects(
    world.undo(outcome),
    /1 rows of public\.encounters refer to rows that would go; nothing was undone/,
  );
  await world.now(`DELETE FROM encounters WHERE note = 'since'; UPDATE patients SET name = 'New name' WHERE id = 7`);
  const changed = await world.dump();
  await assert.rejects(
    world.undo(outcome),
    /1 rows of public\.patients were changed or removed since the merge; nothing was undone/,
  );
  assert.deepEqual(await world.dump(), changed);
});

test('values of every type come back as they were', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'ha, "py"'); CREATE TYPE pair AS (a int, b text); CREATE DOMAIN positive AS int CHECK (value > 0);
     CREATE TABLE t (id int PRIMARY KEY, i2 smallint, i8 bigint, n numeric, f4 real, f8 double precision, b boolean, s text, v varchar(9), c char(5),
       y bytea, d date, ts timestamp, tz timestamptz, tm time, tt timetz, iv interval, j json, jb jsonb, u uuid, ip inet, net cidr, mac macaddr,
       bits bit varying, r int4range, mr nummultirange, tr tstzrange, e mood, p pair, dm positive, ai int[], at text[], ap pair[], ae mood[],
       x xml, tv tsvector, pt point, bx box, m money, o oid, rc regclass, l pg_lsn);
     INSERT INTO t (id) VALUES (1);
     INSERT INTO t VALUES (2, -32768, 9223372036854775807, 'NaN', 'NaN', '-Infinity', true, '', '', '', '', 'infinity', '-infinity', 'infinity', '24:00', '12:00+02',
       '-1 mon 3 days -04:05:06.789', '{"a" : 1,  "a": null}', '{"a": [1, 2.50, null, "\\u00e9"]}', gen_random_uuid(), '::1/128', '10.0.0.0/8', '08:00:2b:01:02:03',
       B'10110', 'empty', '{[1.0,2.00),(3,)}', '[2020-01-01 00:00+02,)', 'ha, "py"', ROW(NULL, ''), 5, '{}', '{NULL,"NULL","","a,b","\\"q\\"","\\\\"}',
       ARRAY[ROW(1, 'x"y'), NULL, ROW(NULL, NULL)]::pair[], '{sad,"it''s ok"}', '<a>&lt;</a>', 'fat:1A & cat', '(1e-300,-0)', '((1,2),(3,4))', '12.34', 4294967295, 't', '1/2');
     INSERT INTO t (id, n, f4, f8, s, v, y, tz, ai, at, dm) VALUES (3, 1e-200 + 1e100, 0.1, 0.1 + 0.2, E'tab\\t nl\\n cr\\r back\\\\slash \\\\N \\\\. 🩺', E'\\\\N', '\\x00ff0a5c',
       '4713-01-01 00:00:00.000001+00 BC', '[2:3][0:1]={{1,2},{NULL,4}}', ARRAY[E'\\n', '\\N'], NULL), (4, 'Infinity', '-0', 5e-324, E'\\\\.', 'NULL', '', now(), NULL, NULL, 1);`,
    'DELETE FROM t WHERE id <> 3; UPDATE t SET s = NULL, f8 = 0.3, ai = NULL, n = 1',
  );
  const broken = await world.dump();
  const outcome = await world.merge({ tables: ['t'], update: true });
  assert.deepEqual([outcome.done?.inserted, outcome.done?.updated, outcome.done?.altered], [3, 1, 0]);
  assert.deepEqual(await world.dump(), await world.dump('past'));
  const again = await world.merge({ tables: ['t'], update: true });
  assert.equal(again.plan.identical, 4, 'NULL and empty, NaN, -0 and all the others are the same');
  await world.undo(outcome);
  assert.deepEqual(await world.dump(), broken);
});

test('names with quotes, spaces, line breaks and emoji are names like others', async () => {
  const [table, child, column, schema] = [
    'a "quoted" \n\\ 🩺; DROP TABLE x',
    "it's $undo$ %I -- */",
    'key\t"\'🙂',
    'Sch ema"',
  ];
  const q = (name: string) => `"${name.replaceAll('"', '""')}"`;
  await using world = await rowDatabases(
    server,
    `CREATE SCHEMA ${q(schema!)}; CREATE TABLE ${q(schema!)}.${q(table!)} (${q(column!)} text PRIMARY KEY, "select" int, n serial);
     CREATE TABLE ${q(schema!)}.${q(child!)} (id int PRIMARY KEY, ${q(column!)} text REFERENCES ${q(schema!)}.${q(table!)});
     INSERT INTO ${q(schema!)}.${q(table!)} VALUES ('a''b"\\c', 1), ('$undo$', 2), (E'\\n--', 3);
     INSERT INTO ${q(schema!)}.${q(child!)} VALUES (1, 'a''b"\\c'), (2, '$undo$'), (3, E'\\n--')`,
    `DELETE FROM ${q(schema!)}.${q(child!)}; DELETE FROM ${q(schema!)}.${q(table!)} WHERE "select" < 3; UPDATE ${q(schema!)}.${q(table!)} SET "select" = 9`,
  );
  const broken = await world.dump();
  const outcome = await world.merge({ tables: [`${schema}.${table}`], related: true, update: true });
  assert.deepEqual([outcome.done?.inserted, outcome.done?.updated], [5, 1]);
  assert.deepEqual(await world.dump(), await world.dump('past'));
  await world.undo(outcome);
  assert.deepEqual(await world.dump(), broken);
});

test('partitions, columns that came or went, and types that were widened', async () => {
  await using world = await rowDatabases(
    server,
    `CREATE TABLE log (day date, id int, x int, gone text, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);
     CREATE TABLE log_a PARTITION OF log FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
     CREATE TABLE log_b PARTITION OF log FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
     INSERT INTO log VALUES ('2020-05-05', 1, 1, 'g'), ('2021-05-05', 2, 2, 'g')`,
    `DELETE FROM log; ALTER TABLE log ALTER x TYPE bigint; ALTER TABLE log DROP gone; ALTER TABLE log ADD fresh text NOT NULL DEFAULT 'new'`,
  );
  const outcome = await world.merge({ tables: ['log'] });
  const [plan] = outcome.plan.tables;
  assert.deepEqual([plan?.insert, plan?.columns_new, plan?.columns_dropped], [2, ['fresh'], ['gone']]);
  assert.deepEqual(await world.dump(), {
    'public.log_a': ['(2020-05-05,1,1,new)'],
    'public.log_b': ['(2021-05-05,2,2,new)'],
  });
  await world.undo(outcome);
  assert.deepEqual(await world.dump(), { 'public.log_a': [], 'public.log_b': [] });
  await world.now('ALTER TABLE log ALTER x TYPE text');
  await assert.rejects(world.merge({ tables: ['log'] }), {
    code: 'rows_refused',
    message: /"x" of public\.log was integer and is text now/,
  });
});

test('tables that are gone, and a schema with all of its tables, are made again from their definition, and dropped by the reversal', async (t) => {
  if (!existsSync('/usr/lib/postgresql/15/bin/pg_dump') || !available.includes(15)) return t.skip('no pg_dump here');
  await using other = await startPostgres({ major: 15 });
  const lab = `CREATE SCHEMA lab; CREATE TABLE lab.kinds (id serial PRIMARY KEY, name text);
    CREATE TABLE lab.results (id int PRIMARY KEY, kind int REFERENCES lab.kinds);
    INSERT INTO lab.kinds (name) VALUES ('a'), ('b'); INSERT INTO lab.results VALUES (1, 2)`;
  const lost = 'DROP TABLE photos; DROP TABLE encounters; DROP SCHEMA lab CASCADE';
  await using world = await rowDatabases(other, `${CLINIC}; ${lab}`, lost);
  const whole = await world.merge({ schemas: ['lab'] });
  assert.deepEqual(whole.plan.tables.map(({ schema, created, insert }) => [schema, created, insert]).sort(), [
    ['lab', true, 1],
    ['lab', true, 2],
  ]);
  const broken = await world.dump();
  const outcome = await world.merge({ tables: ['encounters', 'photos'] });
  assert.deepEqual(
    outcome.plan.tables.map(({ name, created, insert }) => [name, created, insert]),
    [
      ['encounters', true, 100],
      ['photos', true, 200],
    ],
  );
  assert.deepEqual(await world.dump(), await world.dump('past'));
  assert.deepEqual(await world.now(`INSERT INTO encounters (patient) VALUES (1) RETURNING id`), [{ id: 101 }]);
  await assert.rejects(world.undo(outcome), /public\.encounters/, 'a row that came since is not thrown away');
  await world.now('DELETE FROM encounters WHERE id = 101');
  await world.undo(outcome);
  assert.deepEqual(await world.dump(), broken);
  await world.undo(whole);
  assert.deepEqual(await world.now(`SELECT to_regclass('lab.results') AS gone`), [{ gone: null }]);
});

test('a table that is gone is refused where no pg_dump can make it again, a mistaken --where is told in the words of the server', async () => {
  await using world = await rowDatabases(
    server,
    'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE visits (id int)',
    'DROP TABLE t',
  );
  await assert.rejects(world.merge({ tables: ['t'] }), {
    code: 'rows_refused',
    message: /public\.t does not exist now, and pg_dump/,
  });
  await assert.rejects(world.merge({ tables: ['vists'] }), { code: 'table_unknown', hint: 'Did you mean "visits"?' });
  await world.now('CREATE TABLE t (id int PRIMARY KEY)');
  const wrong = (where: string) =>
    assert.rejects(world.merge({ tables: ['t'], where }), { code: 'usage', message: /--where does not fit public\.t/ });
  await wrong('nothing = 1');
  await wrong('true); DROP TABLE t; SELECT (1');
  await wrong('');
  assert.equal((await world.merge({ tables: ['t'], where: 'id = 1 -- a comment' })).done?.inserted, 1);
});

test('the script is for its owner only, and a file that stands is never written over', async () => {
  await using world = await rowDatabases(
    server,
    'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)',
    'DELETE FROM t',
  );
  const taken = world.dir.join('undo-1.sql');
  await writeFile(taken, 'mine');
  await assert.rejects(world.merge({ tables: ['t'] }), { code: 'target_exists' });
  assert.equal(await readFile(taken, 'utf8'), 'mine');
  const { done } = await world.merge({ tables: ['t'] });
  assert.match(await readFile(done!.reversal, 'utf8'), /^-- A test\.\n/);
  assert.equal((await stat(done!.reversal)).mode & 0o777, 0o600);
});
