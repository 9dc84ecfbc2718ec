/** What archive_command may put into the archive, and what not. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { pushWal } from '../../src/operations/wal-push.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { findSegment, type SegmentName } from '../../src/wal/fetch.ts';
import { parseLogFileName } from '../../src/wal/log-file.ts';
import { init, localStores, openSession } from '../support/care.ts';
import { systemIdentifier } from '../support/postgres/moments.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

let server: TestServer;
let cluster: string;
/** A finished segment. */
let finished: string;

before(async () => {
  server = await startPostgres({ major: 17, walSegmentMiB: 1, settings: { wal_keep_size: '64MB' } });
  await server.sql('create table t (n int); insert into t select generate_series(1, 1000)');
  const [row] = await server.sql('select pg_walfile_name(pg_current_wal_insert_lsn()) as name, pg_switch_wal()');
  await server.sql('insert into t values (1); checkpoint');
  finished = join(server.dataDir, 'pg_wal', String(row!.name));
  cluster = await systemIdentifier(server);
});
after(() => server.stop('immediate'));

async function world(dir: TempDir) {
  const stores = localStores(dir, 2);
  await init(stores);
  const pg_wal = dir.join('copy', 'pg_wal');
  await mkdir(pg_wal, { recursive: true });
  await mkdir(dir.join('copy', 'global'));
  await copyFile(join(server.dataDir, 'global', 'pg_control'), dir.join('copy', 'global', 'pg_control'));
  const copy = async (change: (bytes: Buffer) => unknown = () => {}, name = basename(finished)) => {
    const bytes = await readFile(finished);
    change(bytes);
    await writeFile(join(pg_wal, name), bytes);
    return join(pg_wal, name);
  };
  return { stores, copy, pg_wal };
}

/** `away`: the configured server does not answer. */
async function push(stores: readonly ObjectStore[], path: string, { away = false, requiredCopies = 2 } = {}) {
  const url = away ? 'postgres://127.0.0.1:1/none' : server.url();
  const wal = {
    mode: 'push',
    spool: '/nowhere',
    spoolLimit: 1,
    flushEvery: 1,
    acknowledge: 'spool',
    slotLimit: 1,
    foldAfter: 1,
    baseAfterGap: false,
  } as const;
  const source = { type: 'postgres', name: 'database', url, wal } as const;
  return pushWal(await openSession(stores), { app: 'clinic', source, path, requiredCopies });
}

const refusal = (words: RegExp) => (error: Error & { code?: string }) =>
  error.code === 'wal_refused' && words.test(error.message);

test('a segment is archived once, with the times of its commits; labels of backups are ignored', async () => {
  await using dir = await tempDir();
  const { stores } = await world(dir);
  const first = await push(stores, finished);
  assert.deepEqual([first.stored, first.bytes], [['a', 'b'], 1024 * 1024]);
  assert.equal((await push(stores, finished)).bytes, 0);
  const { pieces } = await new WalArchive((await openSession(stores)).repository, cluster).list();
  assert.equal(pieces.length, 1);
  const { firstCommit, lastCommit } = pieces[0]!.piece;
  assert.ok(firstCommit! <= lastCommit! && Math.abs(Number(lastCommit! / 1000n) - Date.now()) < 3600_000);
  assert.equal((await push(stores, `${finished}.00000028.backup`)).ignored, true);
});

test('a restored copy that archives other content under the same name is refused, server or no server', async () => {
  await using dir = await tempDir();
  const { stores, copy } = await world(dir);
  await push(stores, finished);
  const changed = await copy((bytes) => bytes.fill(7, 700_000, 700_010));
  for (const away of [false, true]) await assert.rejects(push(stores, changed, { away }), refusal(/other content/));
  assert.equal((await push(stores, await copy(), { away: true })).bytes, 0);
});

test('a copy that was promoted cannot claim the next timeline of its original', async () => {
  await using dir = await tempDir();
  const { stores, copy, pg_wal } = await world(dir);
  const next = await copy(() => {}, basename(finished).replace(/^00000001/, '00000002'));
  await assert.rejects(push(stores, next), refusal(/timeline 2; the configured server is on 1/));
  await writeFile(join(pg_wal, '00000002.history'), '1\t0/180000\twhy\n');
  await assert.rejects(push(stores, join(pg_wal, '00000002.history')), refusal(/timeline 2/));
});

test('the log of another cluster is refused: by the server, and by what archived here before', async () => {
  await using dir = await tempDir();
  const { stores, copy } = await world(dir);
  await push(stores, finished);
  const foreign = await copy((bytes) => void bytes.writeBigUInt64LE(7_000_000_000_000_000_001n, 24));
  await assert.rejects(push(stores, foreign), refusal(/of the cluster 7000000000000000001/));
  await assert.rejects(push(stores, foreign, { away: true }), refusal(/does not answer/));
});

test('a file that is not what its name says is refused', async () => {
  await using dir = await tempDir();
  const { stores, copy, pg_wal } = await world(dir);
  const renamed = await copy(() => {}, '000000010000000000000077');
  await assert.rejects(push(stores, renamed), refusal(/not the segment/));
  const zeros = await copy((bytes) => void bytes.fill(0));
  await assert.rejects(push(stores, zeros), refusal(/not the segment/));
  await writeFile(join(pg_wal, basename(finished)), (await readFile(finished)).subarray(0, 500_000));
  await assert.rejects(push(stores, join(pg_wal, basename(finished))), refusal(/./));
  await assert.rejects(push(stores, join(pg_wal, 'postgresql.conf')), { code: 'usage' });
});

test('it is done only when as many storages hold it as were asked for, and one that was away is brought level', async () => {
  await using dir = await tempDir();
  const { stores } = await world(dir);
  const failing = faultStore(stores[1]!);
  failing.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail', code: 'storage_full' } });
  await assert.rejects(push([stores[0]!, failing], finished), { code: 'too_few_copies' });
  assert.deepEqual((await push([stores[0]!, failing], finished, { requiredCopies: 1 })).stored, ['a']);
  const again = await push(stores, finished);
  assert.deepEqual([again.stored, again.bytes], [['a', 'b'], 0]);
  const { pieces } = await new WalArchive((await openSession(stores)).repository, cluster).list();
  assert.deepEqual(
    pieces.map(({ mask }) => mask),
    [3],
  );
});

test('a history is archived once, and another one under its number is refused', async () => {
  await using dir = await tempDir();
  const { stores, pg_wal } = await world(dir);
  const path = join(pg_wal, '00000002.history');
  await writeFile(path, '1\t0/180000\twhy\n');
  assert.ok((await push(stores, path, { away: true })).bytes > 0);
  assert.equal((await push(stores, path, { away: true })).bytes, 0);
  await writeFile(path, '1\t0/190000\tanother\n');
  await assert.rejects(push(stores, path, { away: true }), refusal(/another history/));
});

test('of a partial segment what was written is archived, and served with zeros after it', async () => {
  await using dir = await tempDir();
  const { stores, copy } = await world(dir);
  let cut = 0;
  const cutInHalf = (bytes: Buffer) => {
    cut = Math.floor(bytes.findLastIndex((byte) => byte !== 0) / 2);
    bytes.fill(0, cut);
  };
  const half = await copy(cutInHalf, `${basename(finished)}.partial`);
  const { bytes } = await push(stores, half, { away: true });
  assert.ok(bytes > 0 && bytes <= cut, `${bytes} of ${cut}`);
  const archive = new WalArchive((await openSession(stores)).repository, cluster);
  const answer = await findSegment(archive, parseLogFileName(basename(finished)) as SegmentName);
  assert.deepEqual([answer.kind, answer.kind === 'found' && answer.whole], ['found', false]);
  assert.ok((await push(stores, finished)).bytes > 0, 'the whole segment follows');
});
