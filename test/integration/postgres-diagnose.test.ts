/** Each thing that stands in the way of a backup is named, with the exact statement that mends it; and the statement does mend it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import { diagnose } from '../../src/postgres/diagnose.ts';
import { openPostgresSource } from '../../src/sources/postgres-source.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { until } from '../support/until.ts';

const major = (await majors()).at(-1) ?? 18;

const HBA = `
local all postgres trust
local replication postgres trust
local all keeper scram-sha-256
local all plain trust
host  all postgres 127.0.0.1/32 trust
host  shop,postgres reader 127.0.0.1/32 scram-sha-256
`;

let server: TestServer;

before(async () => {
  server = await startPostgres({ major, hba: HBA });
  await server.sql(`CREATE ROLE keeper LOGIN REPLICATION PASSWORD 'right';
                    CREATE ROLE plain LOGIN;
                    CREATE ROLE reader LOGIN REPLICATION PASSWORD 'right';
                    CREATE TABLE letters (owner text, body text);
                    ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
                    CREATE UNLOGGED TABLE cache (k text);
                    GRANT SELECT ON letters, cache TO keeper, plain`);
});
after(() => server.stop('immediate'));

async function codes(url: string, logicalReads = false): Promise<Readonly<Record<string, string>>> {
  const findings = await diagnose(url, { logicalReads });
  return Object.fromEntries(findings.map((finding) => [`${finding.severity}:${finding.code}`, finding.mend]));
}

/** The failure of a backup that must not begin. */
async function failedBackup(
  url: string,
): Promise<{ readonly code: string; readonly hint: string; readonly text: string }> {
  try {
    for await (const entry of openPostgresSource({ url, label: 'x' }).entries()) void entry;
  } catch (error) {
    assert.ok(isFailure(error), String(error));
    return { code: error.code, hint: error.hint ?? '', text: `${error.message} ${error.hint} ${error.stack}` };
  }
  throw new Error('the backup succeeded');
}

test('a superuser on a healthy server has no problem', async () => {
  const found = await codes(server.url());
  assert.deepEqual(
    Object.keys(found).filter((key) => key.startsWith('problem')),
    [],
  );
  assert.equal(found['remark:unlogged_tables'], 'ALTER TABLE public.cache SET LOGGED;');
});

test('a wrong password is named, and appears nowhere', async () => {
  const url = server.url({ user: 'keeper', password: 'wr0ng-secret' });
  assert.deepEqual(await codes(url), { 'problem:password_wrong': `ALTER ROLE "keeper" PASSWORD '…';` });
  const failed = await failedBackup(url);
  assert.equal(failed.code, 'postgres_refused');
  assert.match(failed.hint, /ALTER ROLE "keeper" PASSWORD/);
  assert.doesNotMatch(failed.text, /wr0ng-secret/);
});

test('a role without REPLICATION gets the statement that gives it, and the statement is enough', async () => {
  const url = server.url({ user: 'plain' });
  assert.equal((await codes(url))['problem:role_lacks_replication'], 'ALTER ROLE "plain" WITH REPLICATION;');
  const failed = await failedBackup(url);
  assert.equal(failed.code, 'postgres_refused');
  assert.match(failed.hint, /ALTER ROLE "plain" WITH REPLICATION;/);
  await server.sql('ALTER ROLE "plain" WITH REPLICATION;');
  assert.equal((await codes(url))['problem:role_lacks_replication'], undefined);
  for await (const entry of openPostgresSource({ url, label: 'x' }).entries()) void entry;
  await server.sql('ALTER ROLE plain NOREPLICATION');
});

test('pg_hba: the exact line to add is given, and adding it helps', async () => {
  const url = server.url({ user: 'keeper', password: 'right', tcp: true });
  const found = await codes(url);
  const line = found['problem:hba_rejected'] ?? '';
  assert.equal(line, 'host  postgres  keeper  127.0.0.1/32  scram-sha-256');
  const { appendFile } = await import('node:fs/promises');
  await appendFile(`${server.dataDir}/pg_hba.conf`, `${line}\n`);
  await server.sql('SELECT pg_reload_conf()');
  await until(async () => (await codes(url))['problem:hba_rejected'] === undefined);
});

test('a missing database, a missing role and a closed port are told apart', async () => {
  assert.deepEqual(await codes(server.url({ database: 'nowhere' })), {
    'problem:database_missing': 'Mend its name in the URL, or: CREATE DATABASE "nowhere";',
  });
  assert.ok((await codes(server.url({ user: 'nobody-here' })))['problem:hba_rejected']);
  const [key] = Object.keys(await codes('postgres://u:secret@127.0.0.1:1/x'));
  assert.equal(key, 'problem:unreachable');
  assert.deepEqual(Object.keys(await codes('mysql://u:secret@h/x')), ['problem:url_invalid']);
});

test('row-level security that would hide rows is a problem for logical reads, with the statement that mends it', async () => {
  const url = server.url({ user: 'keeper', password: 'right' });
  assert.equal((await codes(url, true))['problem:row_security'], 'ALTER ROLE "keeper" BYPASSRLS;');
  assert.equal((await codes(url, false))['remark:row_security'], 'ALTER ROLE "keeper" BYPASSRLS;');
  await server.sql('ALTER ROLE "keeper" BYPASSRLS;');
  assert.equal((await codes(url, true))['problem:row_security'], undefined);
  await server.sql('ALTER ROLE keeper NOBYPASSRLS');
});

test('a table hidden by policies is not counted, and a migrations query over it is refused', async () => {
  const url = server.url({ user: 'keeper', password: 'right' });
  const source = openPostgresSource({ url, label: 'x' });
  for await (const entry of source.entries()) void entry;
  const facts = await source.facts();
  assert.equal(facts.tables.find((table) => table.name === 'letters')?.exact, false);
  assert.ok(facts.notes.some((note) => note.includes('ALTER ROLE "keeper" BYPASSRLS;')));

  const filtered = openPostgresSource({ url, label: 'x', migrations: 'SELECT body FROM letters' });
  for await (const entry of filtered.entries()) void entry;
  await assert.rejects(
    filtered.facts(),
    (error) => isFailure(error) && error.hint === 'ALTER ROLE "keeper" BYPASSRLS;',
  );
});

test('WAL senders and slots that are all in use are counted', async () => {
  await using small = await startPostgres({ major, settings: { max_wal_senders: '1', max_replication_slots: '1' } });
  assert.equal((await codes(small.url()))['problem:wal_senders_exhausted'], 'ALTER SYSTEM SET max_wal_senders = 10;');
  const failed = await failedBackup(small.url());
  assert.match(failed.hint, /ALTER SYSTEM SET max_wal_senders = 10;/);
  const freed = async () => (await small.sql('SELECT slot_name FROM pg_replication_slots')).length === 0;
  await until(freed); // the slot of the backup that failed goes with its session
  await small.sql(`SELECT pg_create_physical_replication_slot('taken')`);
  const slots = (await codes(small.url()))['problem:replication_slots_exhausted'];
  assert.equal(slots, 'ALTER SYSTEM SET max_replication_slots = 10;');
});

test('wal_level minimal and missing page checksums are found', async () => {
  await using server = await startPostgres({
    major,
    checksums: false,
    settings: { wal_level: 'minimal', max_wal_senders: '0' },
  });
  const found = await codes(server.url());
  assert.equal(found['problem:wal_level_minimal'], `ALTER SYSTEM SET wal_level = 'replica';`);
  assert.ok(found['problem:wal_senders_none']);
  assert.match(found['remark:data_checksums_off'] ?? '', /^pg_checksums --enable -D \//);
  assert.match((await failedBackup(server.url())).hint, /wal_level/);
});

test('configuration outside the data directory is remarked with the source to add', async () => {
  const hba = server.directory.join('elsewhere_hba.conf');
  const { copyFile, chmod } = await import('node:fs/promises');
  await copyFile(`${server.dataDir}/pg_hba.conf`, hba);
  await chmod(hba, 0o644);
  await using other = await startPostgres({ major, settings: { hba_file: hba } });
  const mend = (await codes(other.url()))['remark:config_outside'] ?? '';
  assert.equal(mend, `settings: { type: config, paths: [${hba}] }`);
  await runSql(other.url(), 'SELECT 1');
});
