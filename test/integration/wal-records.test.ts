/** The WAL decoder on logs that real servers wrote: what it says is what the server and its own tools say. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { formatLsn, type Lsn, parseLsn } from '../../src/postgres/lsn.ts';
import {
  type CommitRecord,
  type RestorePointRecord,
  readSegmentHeader,
  type WalScanHandler,
  WalScanner,
} from '../../src/postgres/wal-records.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { run } from '../support/run.ts';

const SETTINGS = {
  track_commit_timestamp: 'on',
  max_prepared_transactions: '5',
  autovacuum: 'off',
  wal_recycle: 'off',
  wal_keep_size: '1GB',
};
const MIB = 1024 * 1024;

interface Told {
  readonly commits: readonly CommitRecord[];
  readonly points: readonly RestorePointRecord[];
  readonly scanner: WalScanner;
}

async function walOf(server: TestServer): Promise<{ start: Lsn; bytes: Buffer; segmentSize: number }> {
  await server.sql('CREATE TABLE IF NOT EXISTS flushed (); DROP TABLE flushed');
  const directory = join(server.dataDir, 'pg_wal');
  const names = (await readdir(directory)).filter((name) => /^[0-9A-F]{24}$/.test(name)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
  const { pageAddress, segmentSize } = readSegmentHeader(files[0]!)!;
  return { start: pageAddress, bytes: Buffer.concat(files), segmentSize };
}

async function scanAll(server: TestServer, chunk = MIB, more: WalScanHandler = {}): Promise<Told> {
  return scan(await walOf(server), chunk, more);
}

type Log = Awaited<ReturnType<typeof walOf>>;

function scan({ start, bytes, segmentSize }: Log, chunk = MIB, more: WalScanHandler = {}): Told {
  const [commits, points]: [CommitRecord[], RestorePointRecord[]] = [[], []];
  const handler: WalScanHandler = {
    commit: (record) => commits.push(record),
    restorePoint: (record) => points.push(record),
  };
  const scanner = new WalScanner(start, { ...handler, ...more }, { segmentSize, verifyCrc: true });
  for (let at = 0; at < bytes.length; at += chunk) scanner.push(bytes.subarray(at, at + chunk));
  return { commits, points, scanner };
}

for (const major of (await majors()).filter((each) => each !== 16)) {
  describe(`WAL of PostgreSQL ${major}`, () => {
    let server: TestServer;

    before(async () => {
      const walSegmentMiB = major === 17 ? 1 : 16;
      server = await startPostgres({ major, settings: SETTINGS, walSegmentMiB });
      await server.sql('CREATE TABLE t (id int primary key, note text)');
    });
    after(() => server?.stop('immediate'));

    test('its first page tells cluster, segment size and version', async () => {
      const { bytes } = await walOf(server);
      const [control] = await server.sql(`SELECT system_identifier::text AS id FROM pg_control_system()`);
      const header = readSegmentHeader(bytes)!;
      assert.equal(header.systemIdentifier, control?.id);
      assert.equal(header.segmentSize, (major === 17 ? 1 : 16) * MIB);
      assert.deepEqual([header.timeline, header.major], [1, major]);
    });

    test('commits have the transaction, the time and the place that the server says', async () => {
      const [before] = await server.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      const [done] = await server.sql(`INSERT INTO t VALUES (1, 'one') RETURNING xmin::text AS xid`);
      const [after] = await server.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      const [stamp] = await server.sql(
        `SELECT (extract(epoch FROM pg_xact_commit_timestamp('${done?.xid}'::xid)) * 1000000)::bigint::text AS time`,
      );
      const { commits } = await scanAll(server);
      const found = commits.find(({ xid }) => String(xid) === done?.xid)!;
      assert.equal(found.kind, 'commit');
      assert.equal(String(found.time), stamp?.time);
      assert.ok(found.start >= parseLsn(String(before?.lsn)));
      assert.equal(formatLsn(found.end), after?.lsn);
    });

    test('every commit that the server timestamped is found, however the log is cut into chunks', async () => {
      await server.sql(`CREATE OR REPLACE PROCEDURE many() LANGUAGE plpgsql AS $$
        BEGIN FOR i IN 100..400 LOOP INSERT INTO t VALUES (i, repeat('x', i * 3)); COMMIT; END LOOP; END $$`);
      await server.sql('CALL many()');
      const rows = await server.sql(
        `SELECT xmin::text AS xid, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000)::bigint::text AS time
           FROM t WHERE id BETWEEN 100 AND 400 ORDER BY id`,
      );
      const log = await walOf(server);
      const whole = scan(log, 64 * MIB);
      const times = new Map(whole.commits.map(({ xid, time }) => [String(xid), String(time)]));
      assert.equal(rows.length, 301);
      for (const { xid, time } of rows) assert.equal(times.get(String(xid)), time);
      for (const chunk of [8192, 4097, 613]) {
        assert.deepEqual(scan(log, chunk).commits, whole.commits);
      }
    });

    test('rollbacks, subtransactions and dropped relations are in the record', async () => {
      await server.sql('CREATE TABLE gone (a int)');
      const [file] = await server.sql(`SELECT pg_relation_filenode('gone')::text AS file`);
      await server.sql(
        `BEGIN; SAVEPOINT a; INSERT INTO t VALUES (11); SAVEPOINT b; INSERT INTO t VALUES (12); DROP TABLE gone; COMMIT`,
      );
      await server.sql('BEGIN; INSERT INTO t VALUES (13); ROLLBACK');
      const { commits } = await scanAll(server);
      const drop = commits.find(({ dropped }) => dropped.some(({ relation }) => String(relation) === file?.file))!;
      assert.equal(drop.kind, 'commit');
      assert.equal(drop.subtransactions.length, 2);
      const [database] = await server.sql(`SELECT oid::text FROM pg_database WHERE datname = 'postgres'`);
      assert.equal(String(drop.dropped[0]?.database), database?.oid);
      assert.ok(commits.some(({ kind }) => kind === 'abort'));
    });

    test('COMMIT PREPARED counts for the prepared transaction', async () => {
      const [made] = await server.sql(
        `BEGIN; INSERT INTO t VALUES (22); PREPARE TRANSACTION 'later';
         SELECT transaction::text AS xid FROM pg_prepared_xacts`,
      );
      await server.sql(`COMMIT PREPARED 'later'`);
      const { commits } = await scanAll(server);
      const found = commits.find(({ xid }) => String(xid) === made?.xid)!;
      assert.deepEqual([found.kind, found.prepared], ['commit', true]);
    });

    test('restore points are told by name and place; a switch ends the segment and the log goes on in the next', async () => {
      const [made] = await server.sql(`SELECT pg_create_restore_point('before the upgrade')::text AS lsn`);
      await server.sql('SELECT pg_switch_wal()');
      await server.sql(`INSERT INTO t VALUES (31)`);
      await server.sql(`SELECT pg_create_restore_point('after')`);
      const { points } = await scanAll(server, 100_000);
      const found = points.find(({ name }) => name === 'before the upgrade')!;
      assert.equal(formatLsn(found.end), made?.lsn);
      assert.ok(points.some(({ name }) => name === 'after'));
    });

    test('the log ends where the server says that it ends', async () => {
      await server.sql('CHECKPOINT');
      const kinds: string[] = [];
      const [before] = await server.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      const { scanner } = await scanAll(server, MIB, { checkpoint: ({ kind }) => kinds.push(kind) });
      const [after] = await server.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
      assert.ok(scanner.end > parseLsn(String(before?.lsn)) && scanner.end <= parseLsn(String(after?.lsn)));
      assert.equal(scanner.ended, 'The log ends here.');
      assert.ok(kinds.includes('online'));
    });

    test('decoding from any page on gives the same commits', async () => {
      const log = await walOf(server);
      const { start, bytes, segmentSize } = log;
      const whole = scan(log).commits;
      for (let page = 1; page * 8192 < Math.min(bytes.length, MIB); page += 7) {
        const from = start + BigInt(page * 8192);
        const commits: CommitRecord[] = [];
        const scanner = new WalScanner(
          from,
          { commit: (each) => commits.push(each) },
          { segmentSize, verifyCrc: true },
        );
        scanner.push(bytes.subarray(page * 8192));
        assert.deepEqual(
          commits,
          whole.filter((each) => each.start >= from),
        );
      }
    });

    if (major === 15) {
      test('pg_waldump lists the same ends of transactions', async () => {
        const { start, bytes, segmentSize } = await walOf(server);
        const commits: CommitRecord[] = [];
        const scanner = new WalScanner(start, { commit: (each) => commits.push(each) }, { segmentSize });
        scanner.push(bytes);
        const { programs } = server.instance;
        const args = [
          '-p',
          join(server.dataDir, 'pg_wal'),
          '-r',
          'Transaction',
          '-s',
          formatLsn(start),
          '-e',
          formatLsn(scanner.end),
        ];
        const { stdout } = await run(join(programs.bin, 'pg_waldump'), args, { env: { TZ: 'UTC' } });
        const theirs = stdout
          .split('\n')
          .filter((line) => /desc: (COMMIT|ABORT)/.test(line))
          .map(
            (line) =>
              /lsn: ([0-9A-F]+\/[0-9A-F]+),.*desc: (COMMIT|ABORT)(?:_PREPARED)? (?:\d+: )?(\S+ \S+)/.exec(line)!,
          )
          .map(([, lsn, kind, time]) => `${formatLsn(parseLsn(lsn!))} ${kind?.toLowerCase()} ${time}`);
        const ours = commits.map(({ start: at, kind, time }) => `${formatLsn(at)} ${kind} ${seconds(time)}`);
        assert.ok(ours.length > 300);
        assert.deepEqual(ours, theirs.slice(-ours.length));
      });
    }
  });
}

/** As pg_waldump prints it in a zone that is UTC: `2026-11-21 05:14:49.123456`. */
function seconds(micros: bigint): string {
  const text = new Date(Number(micros / 1000n)).toISOString().slice(0, 19).replace('T', ' ');
  return `${text}.${String(micros % 1_000_000n).padStart(6, '0')}`;
}
