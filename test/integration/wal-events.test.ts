/** What happened, out of the logs of real servers: each kind of loss with its transaction, its table, its rows and the position before it. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { readSegmentHeader } from '../../src/postgres/wal-records.ts';
import { findWalEvents, type WalEvent } from '../../src/wal/events.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';

const SETTINGS = { max_prepared_transactions: '5', autovacuum: 'off', wal_keep_size: '1GB' };

interface Done {
  readonly xid: string;
  /** Positions between which the statement wrote. */
  readonly from: bigint;
  readonly to: bigint;
}

for (const major of (await majors()).filter((each) => each !== 16)) {
  describe(`What happened on PostgreSQL ${major}`, () => {
    let server: TestServer;
    before(async () => {
      server = await startPostgres({ major, settings: SETTINGS });
      await server.sql(`CREATE SCHEMA ward; CREATE TABLE ward.visits (id int primary key, note text)`);
      await server.sql(`INSERT INTO ward.visits SELECT i, 'visit ' || i FROM generate_series(1, 20000) i`);
      await server.sql(
        `CREATE TABLE bills (id int primary key, note text); INSERT INTO bills SELECT i, 'x' FROM generate_series(1, 3000) i`,
      );
      await server.sql('CHECKPOINT');
    });
    after(() => server?.stop('immediate'));

    test('a DELETE of 5,000 rows is found with its table and its rows', async () => {
      const done = await act(server, 'DELETE FROM ward.visits WHERE id <= 5000');
      const event = await found(server, done);
      assert.deepEqual(told(event), [['delete', 5000]]);
      assert.equal(await fileOf(server, 'ward.visits'), event.changes[0]?.file?.relation);
      assertPlace(event, done);
    });

    test('an UPDATE of many rows is found; a small one is not', async () => {
      const small = await act(server, `UPDATE ward.visits SET note = 'small' WHERE id BETWEEN 19000 AND 19100`);
      const large = await act(server, `UPDATE ward.visits SET note = 'large' WHERE id BETWEEN 6000 AND 7999`);
      const events = await eventsOf(server);
      assert.equal(byXid(events, small), undefined);
      assert.deepEqual(told(byXid(events, large)!), [['update', 2000]]);
    });

    test('rows of subtransactions count for the transaction, those rolled back do not', async () => {
      const done = await act(
        server,
        `SAVEPOINT a; DELETE FROM ward.visits WHERE id BETWEEN 8001 AND 8600;
         SAVEPOINT b; DELETE FROM ward.visits WHERE id BETWEEN 8601 AND 9200;
         SAVEPOINT c; DELETE FROM ward.visits WHERE id BETWEEN 9201 AND 9999; ROLLBACK TO c`,
      );
      assert.deepEqual(told(await found(server, done)), [['delete', 1200]]);
    });

    test('a prepared transaction is found where it was committed', async () => {
      const [made] = await server.sql(
        `BEGIN; DELETE FROM ward.visits WHERE id BETWEEN 10000 AND 11499; PREPARE TRANSACTION 'p';
         SELECT transaction::text AS xid, pg_current_wal_insert_lsn()::text AS lsn FROM pg_prepared_xacts`,
      );
      await server.sql(`COMMIT PREPARED 'p'`);
      const event = (await eventsOf(server)).find(({ xid }) => String(xid) === made?.xid)!;
      assert.deepEqual(told(event), [['delete', 1500]]);
      assert.ok(event.before >= parseLsn(String(made?.lsn)));
    });

    test('what is rolled back did not happen', async () => {
      const [gone] = await server.sql(`BEGIN; DELETE FROM bills; SELECT pg_current_xact_id()::text AS xid`);
      await server.sql('SELECT 1');
      assert.equal(
        (await eventsOf(server)).find(({ xid }) => String(xid) === gone?.xid),
        undefined,
      );
    });

    test('VACUUM FULL is a rewrite, named', async () => {
      const before = await lsn(server);
      await server.sql('VACUUM FULL bills');
      const event = (await eventsOf(server)).find((each) => each.start >= before)!;
      assert.deepEqual(named(event), [['rewrite', 'public.bills']]);
    });

    test('TRUNCATE is told with the name of the table, and filling it again in the same transaction changes nothing of that', async () => {
      const plain = await act(server, 'TRUNCATE bills');
      const filled = await act(server, `TRUNCATE bills; INSERT INTO bills VALUES (1, 'again')`);
      const events = await eventsOf(server);
      for (const done of [plain, filled]) {
        assert.deepEqual(named(byXid(events, done)!), [['truncate', 'public.bills']]);
        assertPlace(byXid(events, done)!, done);
      }
    });

    test('DROP TABLE is told with the name of what is gone, also when another table is made in the same transaction', async () => {
      const done = await act(server, 'DROP TABLE bills; CREATE TABLE bills2 (id int primary key)');
      assert.deepEqual(named(await found(server, done)), [['drop', 'public.bills']]);
      const other = await act(server, 'DROP TABLE ward.visits');
      assert.deepEqual(named(await found(server, other)), [['drop', 'ward.visits']]);
    });

    test('DROP DATABASE is told, and the position before it is before its files went', async () => {
      await server.sql('CREATE DATABASE old');
      const [database] = await server.sql(`SELECT oid::text FROM pg_database WHERE datname = 'old'`);
      const start = await lsn(server);
      await server.sql('DROP DATABASE old');
      const event = (await eventsOf(server)).find((each) => each.changes.some(({ kind }) => kind === 'drop database'))!;
      assert.equal(String(event.changes[0]?.database), database?.oid);
      assert.ok(event.before >= start && event.before < event.start);
    });

    test('restore points are told', async () => {
      await server.sql(`SELECT pg_create_restore_point('before the upgrade')`);
      const events = await eventsOf(server);
      assert.ok(events.some(({ kind, name }) => kind === 'restore point' && name === 'before the upgrade'));
    });

    test('dropping, building and filling what is new is nothing', async () => {
      const done = await act(
        server,
        `CREATE TABLE fresh (id int primary key); INSERT INTO fresh SELECT generate_series(1, 5000); CREATE INDEX ON fresh (id)`,
      );
      assert.equal(byXid(await eventsOf(server), done), undefined);
    });
  });
}

/** Runs statements in one transaction. */
async function act(server: TestServer, statements: string): Promise<Done> {
  const from = await lsn(server);
  const rows = await server.sql(
    `BEGIN; CREATE TEMP TABLE IF NOT EXISTS me (xid text); ${statements}; INSERT INTO me VALUES (pg_current_xact_id()::text); COMMIT; SELECT xid FROM me`,
  );
  return { xid: String(rows[0]?.xid), from, to: await lsn(server) };
}

async function lsn(server: TestServer): Promise<bigint> {
  return parseLsn(String((await server.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn'))[0]?.lsn));
}

async function fileOf(server: TestServer, table: string): Promise<number> {
  return Number((await server.sql(`SELECT pg_relation_filenode('${table}')::text AS file`))[0]?.file);
}

async function eventsOf(server: TestServer): Promise<readonly WalEvent[]> {
  await server.sql('CREATE TABLE flush (); DROP TABLE flush');
  const directory = join(server.dataDir, 'pg_wal');
  const names = (await readdir(directory)).filter((name) => /^[0-9A-F]{24}$/.test(name)).sort();
  const header = readSegmentHeader(await readFile(join(directory, names[0]!)))!;
  async function* wal() {
    for (const [i, name] of names.entries()) {
      yield {
        start: header.pageAddress + BigInt(i * header.segmentSize),
        bytes: await readFile(join(directory, name)),
      };
    }
  }
  const { events } = await findWalEvents(wal(), { segmentSize: header.segmentSize });
  return events;
}

function byXid(events: readonly WalEvent[], { xid }: Done): WalEvent | undefined {
  return events.find((event) => String(event.xid) === xid);
}

async function found(server: TestServer, done: Done): Promise<WalEvent> {
  const event = byXid(await eventsOf(server), done);
  assert.ok(event !== undefined, `transaction ${done.xid} is told`);
  return event;
}

function told({ changes }: WalEvent): unknown[] {
  return changes.map(({ kind, rows }) => [kind, rows]);
}

function named({ changes }: WalEvent): unknown[] {
  return changes.map(({ kind, relation }) => [kind, relation]);
}

function assertPlace(event: WalEvent, { from, to }: Done): void {
  assert.ok(event.start >= from && event.end <= to, 'the commit is where the statement ended');
  assert.equal(event.before, event.start);
}
