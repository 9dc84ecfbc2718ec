/** What a backup asks of the server's WAL: it is kept until we have it, its loss is told clearly, and we never pass for a durable standby. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFailure } from '../../src/base/failure.ts';
import { parseConnectionUrl } from '../../src/postgres/connection-settings.ts';
import { ReplicationConnection } from '../../src/postgres/replication-connection.ts';
import { openPostgresSource } from '../../src/sources/postgres-source.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';

const major = (await majors()).at(-1) ?? 18;
const MAKE_WAL = `DROP TABLE IF EXISTS noise; CREATE TABLE noise AS SELECT repeat('x', 900) AS t FROM generate_series(1, 60000)`;

test('WAL that the server removes under the backup fails it, with the setting that prevents that', async () => {
  await using server = await startPostgres({
    major,
    settings: { max_slot_wal_keep_size: '1MB', max_wal_size: '32MB' },
  });
  const reading = (async () => {
    let paused = false;
    for await (const entry of openPostgresSource({ url: server.url(), label: 'x' }).entries()) {
      if (entry.type !== 'file') continue;
      // More than the receiver holds, so that it has to leave WAL on the server.
      if (!paused) for (let round = 0; round < 3; round++) await server.sql(`${MAKE_WAL}; CHECKPOINT`);
      paused = true;
      if (entry.body.kind === 'stream') for await (const chunk of entry.body.chunks) void chunk;
    }
  })();
  await assert.rejects(reading, (error) => {
    assert.ok(isFailure(error, 'postgres_backup_failed'), String(error));
    assert.match(error.hint ?? '', /max_slot_wal_keep_size/);
    return true;
  });
});

test('with synchronous replication configured, the receiver is never counted as a durable standby', async () => {
  await using server = await startPostgres({
    major,
    settings: { synchronous_standby_names: '*', synchronous_commit: 'local' },
  });
  let state: readonly Record<string, unknown>[] = [];
  let seen = 0;
  for await (const entry of openPostgresSource({ url: server.url(), label: 'x' }).entries()) {
    if (entry.type !== 'file' || ++seen !== 100) continue;
    await server.sql('CREATE TABLE t (a int)');
    const look = () =>
      server.sql(`SELECT flush_lsn::text, replay_lsn::text FROM pg_stat_replication WHERE state = 'streaming'`);
    while ((await look()).length === 0) await sleep(50);
    await sleep(300); // what it would tell, it tells now
    state = await look();
  }
  assert.deepEqual(state, [{ flush_lsn: null, replay_lsn: null }]);
});

test('the slot is temporary and named after this program; when all are taken, the backup fails with the statement that gives more', async () => {
  await using server = await startPostgres({ major });
  let slots: readonly Record<string, unknown>[] = [];
  for await (const entry of openPostgresSource({ url: server.url(), label: 'x' }).entries()) {
    if (entry.type === 'file' && slots.length === 0)
      slots = await server.sql('SELECT slot_name, temporary FROM pg_replication_slots');
  }
  assert.equal(slots[0]?.temporary, true);
  assert.match(String(slots[0]?.slot_name), /^holdfast_[0-9a-f]{12}$/);

  await server.sql(
    `SELECT pg_create_physical_replication_slot('taken_' || i)
       FROM generate_series(1, current_setting('max_replication_slots')::int) i`,
  );
  const reading = (async () => {
    for await (const entry of openPostgresSource({ url: server.url(), label: 'x' }).entries()) void entry;
  })();
  await assert.rejects(reading, (error) => {
    assert.ok(isFailure(error, 'postgres_refused'), String(error));
    assert.match(`${error.message} ${error.hint}`, /slots are in use.*ALTER SYSTEM SET max_replication_slots/);
    return true;
  });
});

test('where pg_hba knows the keyword "replication" only, the older kind of connection is used', async () => {
  const hba = 'local replication keeper trust\nlocal all postgres trust\n';
  await using server = await startPostgres({ major, hba });
  await server.sql('CREATE ROLE keeper LOGIN REPLICATION');
  const [row] = await server.sql('SELECT system_identifier::text AS id FROM pg_control_system()');
  await using connection = await ReplicationConnection.open(parseConnectionUrl(server.url({ user: 'keeper' })));
  assert.equal((await connection.identify()).systemIdentifier, row?.id);
});
