/** What goes wrong while a base backup runs: every case ends with a clear failure, or with a backup that says what is wrong with it. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Failure, isFailure } from '../../src/base/failure.ts';
import type { LooseEntry, SourceNotice } from '../../src/sources/entry.ts';
import { openPostgresSource, type PostgresSource } from '../../src/sources/postgres-source.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { startStandby } from '../support/postgres/standby.ts';
import { writeEntries } from '../support/postgres/write-entries.ts';
import { tempDir } from '../support/temp.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const all = await majors();
const newest = all.at(-1) ?? 18;

/** Big enough that the server cannot have sent everything while the reader stands still. */
const BIG_TABLE = `CREATE TABLE big AS SELECT g AS id, repeat(md5(g::text), 20) AS t FROM generate_series(1, 60000) g; CHECKPOINT`;

/** Reads everything and keeps nothing; `halfway` runs once, while most of the backup is still to come. */
async function readAll(source: PostgresSource, halfway: () => Promise<unknown> = async () => {}): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of source.entries()) {
    if (entry.type === 'file' && paths.length === 3) await halfway();
    if (entry.type === 'file') {
      paths.push(entry.path);
      await consume(entry);
    }
  }
  return paths;
}

async function consume(entry: LooseEntry & { type: 'file' }): Promise<void> {
  if (entry.body.kind === 'stream') for await (const chunk of entry.body.chunks) void chunk;
}

for (const major of all.filter((major) => major !== 16)) {
  test(`PostgreSQL ${major}: damaged pages do not lose the backup, and are never a silent success`, async () => {
    await using server = await startPostgres({ major });
    await server.sql('CREATE TABLE hurt AS SELECT g AS id FROM generate_series(1, 5000) g; CHECKPOINT');
    const [row] = await server.sql(`SELECT pg_relation_filepath('hurt') AS path`);
    const path = String(row?.path);
    await using file = await open(join(server.dataDir, path), 'r+');
    await file.write(Buffer.from('damage'), 0, 6, 3 * 8192 + 4000);
    const notices: SourceNotice[] = [];
    const source = openPostgresSource({ url: server.url(), label: 'x', notify: (notice) => notices.push(notice) });
    assert.equal((await readAll(source)).at(-1), 'global/pg_control');
    assert.deepEqual((await source.facts()).backup.damagedPages, [{ path, blocks: [3] }]);
    assert.deepEqual(
      notices.filter((notice) => notice.kind === 'damaged').map((notice) => notice.item),
      [path],
    );
  });
}

for (const major of [15, 18].filter((major) => all.includes(major))) {
  test(`PostgreSQL ${major}: a standby can be backed up, and the copy starts as a server of its own`, async () => {
    await using primary = await startPostgres({ major });
    await primary.sql('CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g');
    await using standby = await startStandby(primary);
    await primary.sql('INSERT INTO t SELECT g FROM generate_series(1, 500) g; CHECKPOINT');
    await caughtUp(primary, standby);
    await using dir = await tempDir({ open: true });
    const notices: SourceNotice[] = [];
    const source = openPostgresSource({ url: standby.url(), label: 'x', notify: (notice) => notices.push(notice) });
    await writeEntries(source.entries(), dir.join('data'));
    assert.equal((await source.facts()).inRecovery, true);
    assert.ok(notices.some((notice) => notice.item === 'standby.signal'));
    assert.ok(notices.some((notice) => notice.reason.startsWith('primary_conninfo is kept')));
    await using copy = await startPostgres({ major, dataDir: dir.join('data') });
    const [row] = await copy.sql('SELECT count(*)::int AS n, pg_is_in_recovery() AS standby FROM t');
    assert.deepEqual(row, { n: 1500, standby: false });
  });

  test(`PostgreSQL ${major}: a standby that is promoted meanwhile fails the backup`, async () => {
    await using primary = await startPostgres({ major });
    await primary.sql(BIG_TABLE);
    await using standby = await startStandby(primary);
    const source = openPostgresSource({ url: standby.url(), label: 'x' });
    const failed = await failure(readAll(source, () => standby.sql('SELECT pg_promote(true)')));
    assert.equal(failed.code, 'postgres_backup_failed');
    assert.match(`${failed.message} ${failed.hint}`, /promoted/);
  });
}

test('a server that is shut down, or crashes, mid-backup fails it', async () => {
  for (const mode of ['fast', 'immediate'] as const) {
    const server = await startPostgres({ major: newest });
    await server.sql(BIG_TABLE);
    const stopped: Promise<void>[] = [];
    const reading = readAll(openPostgresSource({ url: server.url(), label: 'x' }), async () => {
      stopped.push(server.stop(mode));
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const failed = await failure(reading);
    assert.ok(
      ['postgres_unreachable', 'postgres_backup_failed'].includes(failed.code),
      `${failed.code}: ${failed.message}`,
    );
    assert.ok(failed.hint);
    await Promise.all(stopped);
  }
});

test('an interrupted backup leaves no slot and no session on the server', async () => {
  await using server = await startPostgres({ major: newest });
  await server.sql(BIG_TABLE);
  const abort = new AbortController();
  const source = openPostgresSource({ url: server.url(), label: 'x', signal: abort.signal });
  const failed = await failure(readAll(source, async () => abort.abort()));
  assert.equal(failed.code, 'interrupted');
  await eventually(async () => {
    const [row] = await server.sql(
      `SELECT (SELECT count(*)::int FROM pg_replication_slots) + (SELECT count(*)::int FROM pg_stat_replication) AS n`,
    );
    return row?.n === 0;
  });
});

test('a reader that leaves early leaves no slot and no session on the server', async () => {
  await using server = await startPostgres({ major: newest });
  await server.sql(BIG_TABLE);
  for await (const entry of openPostgresSource({ url: server.url(), label: 'x' }).entries())
    if (entry.type === 'file') break;
  await eventually(async () => {
    const [row] = await server.sql(
      `SELECT (SELECT count(*)::int FROM pg_replication_slots) + (SELECT count(*)::int FROM pg_stat_replication) AS n`,
    );
    return row?.n === 0;
  });
});

test('a reader that stands still holds little memory, and outlives wal_sender_timeout under heavy WAL', async () => {
  await using server = await startPostgres({
    major: newest,
    settings: { wal_sender_timeout: '3s', max_wal_size: '1GB' },
  });
  await server.sql(BIG_TABLE);
  await using dir = await tempDir({ open: true });
  let held = 0;
  const before = bytesHeld();
  const source = openPostgresSource({ url: server.url(), label: 'x' });
  let paused = false;
  await writeEntries(source.entries(), dir.join('data'), {
    onEntry: async (entry) => {
      if (entry.type !== 'file' || paused) return;
      paused = true;
      await server.sql(
        `CREATE TABLE during AS SELECT g AS id, repeat('x', 900) AS t FROM generate_series(1, 100000) g`,
      );
      await new Promise((resolve) => setTimeout(resolve, 7000));
      held = bytesHeld() - before;
    },
  });
  // 8 MiB of the backup, 64 MiB of WAL, and what the sockets have read.
  assert.ok(held < 90 * 1024 * 1024, `${held} bytes held`);
  await using copy = await startPostgres({ major: newest, dataDir: dir.join('data') });
  assert.equal((await copy.sql('SELECT count(*)::int AS n FROM during'))[0]?.n, 100000);
});

test('WAL segments of 64 MiB are stored whole', async () => {
  await using server = await startPostgres({ major: newest, walSegmentMiB: 64, settings: { max_wal_size: '1GB' } });
  await server.sql('CREATE TABLE t AS SELECT g AS id FROM generate_series(1, 1000) g');
  await using dir = await tempDir({ open: true });
  const source = openPostgresSource({ url: server.url(), label: 'x' });
  const sizes: number[] = [];
  await writeEntries(source.entries(), dir.join('data'), {
    onEntry: (entry) => {
      if (entry.type === 'file' && entry.path.startsWith('pg_wal/')) sizes.push(entry.size);
    },
  });
  assert.ok(sizes.length > 0 && sizes.every((size) => size === 64 * 1024 * 1024));
  assert.equal((await source.facts()).walSegmentSize, 64 * 1024 * 1024);
  await using copy = await startPostgres({
    major: newest,
    dataDir: dir.join('data'),
    settings: { max_wal_size: '1GB' },
  });
  assert.equal((await copy.sql('SELECT count(*)::int AS n FROM t'))[0]?.n, 1000);
});

test('a data directory without configuration files gets some that it starts with', async () => {
  await using server = await startPostgres({ major: newest, settings: { max_connections: '150' } });
  const { rm } = await import('node:fs/promises');
  for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) await rm(join(server.dataDir, name));
  await using dir = await tempDir({ open: true });
  const notices: SourceNotice[] = [];
  const source = openPostgresSource({ url: server.url(), label: 'x', notify: (notice) => notices.push(notice) });
  const { files } = await writeEntries(source.entries(), dir.join('data'));
  assert.ok(files.includes('postgresql.conf') && files.includes('pg_hba.conf') && files.includes('pg_ident.conf'));
  assert.ok(notices.some((notice) => notice.item === 'postgresql.conf'));
  // Peer authentication wants the account's own name; the test does not run as that account.
  const { writeFile } = await import('node:fs/promises');
  await writeFile(dir.join('data', 'pg_hba.conf'), 'local all all trust\n');
  await using copy = await startPostgres({ major: newest, dataDir: dir.join('data') });
  assert.equal((await copy.sql('SHOW max_connections'))[0]?.max_connections, '150');
});

test('bytes that change between the server and us are found by the manifest', async () => {
  await using server = await startPostgres({ major: newest });
  await server.sql(
    `CREATE TABLE t AS SELECT repeat('HOLDFAST-MARK', 100) AS m FROM generate_series(1, 1000) g; CHECKPOINT`,
  );
  await using proxy = await tamperingProxy(server.instance.port, 'HOLDFAST-MARK', 'HOLDFAST-MASK');
  const url = `postgres://postgres@127.0.0.1:${proxy.port}/postgres?sslmode=disable`;
  const failed = await failure(readAll(openPostgresSource({ url, label: 'x' })));
  assert.equal(failed.code, 'postgres_protocol');
  assert.match(failed.message, /does not agree with the server's manifest: base\/.* came with another checksum/);
});

async function failure(work: Promise<unknown>): Promise<Failure> {
  try {
    await work;
  } catch (error) {
    if (isFailure(error)) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

/** What is garbage does not count, whenever it would be collected. */
function bytesHeld(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

async function caughtUp(primary: TestServer, standby: TestServer): Promise<void> {
  const [row] = await primary.sql('SELECT pg_current_wal_lsn()::text AS lsn');
  await eventually(async () => {
    const [state] = await standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${row?.lsn}'::pg_lsn AS done`);
    return state?.done === true;
  });
}

async function eventually(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the condition was never met');
}

interface Proxy extends AsyncDisposable {
  readonly port: number;
}

/** Passes everything on, and replaces the first `from` that the server sends by `to` (of the same length). */
async function tamperingProxy(serverPort: number, from: string, to: string): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let tampered = false;
  const listener = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => (socket === client ? upstream : client).destroy());
    }
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const at = tampered ? -1 : chunk.indexOf(from);
      if (at >= 0) {
        chunk.write(to, at, 'latin1');
        tampered = true;
      }
      client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
