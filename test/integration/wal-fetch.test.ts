/** What restore_command is told: whole files, the end of the log where it is proved, and 255 for everything else. */
import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { formatLsn } from '../../src/postgres/lsn.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { init, localStores, open, PASSWORD } from '../support/care.ts';
import { holdfast, writeConfig } from '../support/holdfast.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { CLUSTER, type MadeLog, madeLog, SEGMENT } from '../support/wal.ts';

/** Two storages, an archive in them, and a data directory whose control file names the cluster. */
async function world(dir: TempDir, cluster = CLUSTER) {
  const stores = localStores(dir, 2);
  await init(stores);
  const log = madeLog(await open(stores), 8);
  const config = await writeConfig(dir.path, {
    repository: { password: PASSWORD },
    storages: Object.fromEntries(['a', 'b'].map((name) => [name, { type: 'local', path: dir.join(name) }])),
    apps: { clinic: { sources: { media: { type: 'files', path: dir.path } } } },
  });
  const control = Buffer.alloc(8192);
  control.writeBigUInt64LE(BigInt(cluster));
  await mkdir(dir.join('pgdata', 'global'), { recursive: true });
  await mkdir(dir.join('pgdata', 'pg_wal'));
  await writeFile(dir.join('pgdata', 'global', 'pg_control'), control);
  const destination = dir.join('pgdata', 'pg_wal', 'RECOVERYXLOG');
  const fetch = async (name: string, ...more: string[]) => {
    const args = ['--config', config, 'wal', 'fetch', name, 'pg_wal/RECOVERYXLOG', ...more];
    return holdfast(args, { cwd: dir.join('pgdata') });
  };
  const ahead = () => readdir(dir.join('pgdata', 'pg_wal', '.holdfast-ahead')).catch(() => []);
  return { log, fetch, ahead, config, stores, read: () => readFile(destination) };
}

const segment = (number: number, timeline = 1) =>
  `0000000${timeline}00000000${number.toString(16).toUpperCase().padStart(8, '0')}`;
const bytesOf = ({ bytes }: MadeLog, number: number, until = 1) =>
  Buffer.concat([bytes.subarray(number * SEGMENT, (number + until) * SEGMENT), Buffer.alloc((1 - until) * SEGMENT)]);

test('segments come whole, the last one with zeros after its end, and the next ones are fetched ahead', async () => {
  await using dir = await tempDir();
  const { log, fetch, ahead, read } = await world(dir);
  await log.put(2, 5.5);
  assert.equal((await fetch(segment(2), '--prefetch', '2')).code, 0);
  assert.deepEqual(await read(), bytesOf(log, 2));
  assert.deepEqual(await ahead(), [segment(3), segment(4)]);
  await rename(dir.join('a'), dir.join('gone'));
  assert.equal((await fetch(segment(3))).code, 0, 'what was fetched ahead needs no storage');
  assert.deepEqual(await read(), bytesOf(log, 3));
  assert.equal((await fetch(segment(5))).code, 255, 'a storage that does not answer may have more');
  await rename(dir.join('gone'), dir.join('a'));
  assert.equal((await fetch(segment(5))).code, 0);
  assert.deepEqual(await read(), bytesOf(log, 5, 0.5));
  assert.equal((await fetch(segment(6))).code, 1);
  assert.deepEqual(await ahead(), []);
});

test('infrastructure that fails is never the end of the archive', async () => {
  await using dir = await tempDir();
  const { log, fetch, config } = await world(dir);
  await log.put(0, 2);
  const at = { cwd: dir.join('pgdata') };
  const text = await readFile(config, 'utf8');
  const codes: Record<string, number | null> = {};
  codes.usage = (await holdfast(['--config', config, 'wal', 'fetch', segment(9)], at)).code;
  codes.option = (await holdfast(['--config', config, 'wal', 'fetch', segment(9), 'x', '--prefech', '3'], at)).code;
  codes.flag = (await holdfast(['--confg', config, 'wal', 'fetch', segment(9), 'x'], at)).code;
  codes.noConfig = (await holdfast(['--config', dir.join('none'), 'wal', 'fetch', segment(9), 'x'], at)).code;
  codes.directory = (await fetch(segment(1), '--cluster', '1')).code;
  await writeFile(config, text.replace(PASSWORD, 'wrong'));
  codes.password = (await fetch(segment(9))).code;
  await writeFile(config, text);
  await chmod(config, 0o600);
  codes.name = (await fetch('hello')).code;
  codes.label = (await fetch(`${segment(1)}.00000028.backup`)).code;
  assert.deepEqual(new Set(Object.values(codes)), new Set([255]), JSON.stringify(codes));
  assert.equal((await fetch(segment(9))).code, 1);
});

test('a hole, also one exactly at the border of a segment, is not the end of the archive', async () => {
  await using dir = await tempDir();
  const { log, fetch } = await world(dir);
  await log.put(0, 2);
  await log.put(3, 4.25);
  await log.put(4.5, 5);
  for (const number of [2, 4]) {
    const done = await fetch(segment(number));
    assert.equal(done.code, 255);
    assert.match(done.stderr, /hole at/);
  }
  assert.equal((await fetch(segment(5))).code, 1);
});

test('log that a later timeline is known to follow must be there up to the switch', async () => {
  await using dir = await tempDir();
  const { log, fetch, read } = await world(dir);
  const at = formatLsn(BigInt(3.5 * SEGMENT));
  await log.archive.storeHistory(2, Buffer.from(`1\t${at}\tno recovery target specified\n`));
  await log.put(0, 2);
  assert.equal((await fetch(segment(2))).code, 255);
  await log.put(2, 3.25);
  assert.equal((await fetch(segment(3))).code, 255);
  await log.put(3, 5, { timeline: 2 });
  assert.equal(
    (await fetch(segment(3))).code,
    0,
    'the first segment of the next timeline has the bytes before the switch',
  );
  assert.deepEqual(await read(), bytesOf(log, 3, 0.5));
  assert.equal((await fetch(segment(2, 2))).code, 1, 'before the timeline began there is rightly nothing');
  assert.equal((await fetch(segment(5, 2))).code, 1);
});

test('a missing middle history is told from a later one, and one that never was does not hide what follows', async () => {
  await using dir = await tempDir();
  const { log, fetch, read } = await world(dir);
  await log.put(0, 2);
  assert.equal((await fetch('00000002.history')).code, 1);
  await log.archive.storeHistory(4, Buffer.from('1\t0/100000\ta\n3\t0/180000\tb\n'));
  const third = await fetch('00000003.history');
  assert.equal(third.code, 0);
  assert.match((await read()).toString(), /^1\t0\/100000\t/);
  assert.match(third.stderr, /is lost/);
  assert.equal((await fetch('00000002.history')).code, 0);
  assert.match((await read()).toString(), /^# There is no timeline 2/);
  assert.equal((await fetch('00000004.history')).code, 0);
  assert.equal((await fetch('00000005.history')).code, 1);
  await log.put(6, 7, { timeline: 6 });
  assert.equal(
    (await fetch('00000006.history')).code,
    255,
    'WAL without its history is no reason to stay on an older timeline',
  );
});

test('a system identifier above 2^53 is not rounded', async () => {
  await using dir = await tempDir();
  const cluster = '18446744073709551557';
  const { fetch, stores, read } = await world(dir, cluster);
  const log = madeLog(await open(stores), 1, cluster);
  await log.put(0, 1);
  assert.equal((await fetch(segment(0))).code, 0);
  assert.deepEqual(await read(), bytesOf(log, 0));
  assert.equal((await new WalArchive(await open(stores), '18446744073709551558').list()).pieces.length, 0);
});

test('a copy that is damaged on every storage is no end either, and nothing half-written is left', async () => {
  await using dir = await tempDir();
  const { log, fetch, stores } = await world(dir);
  await log.put(0, 2);
  for (const store of stores)
    for await (const page of store.list('wal/'))
      for (const { key, size } of page)
        if (key.includes('0000000000100000-')) await store.put(key, Buffer.alloc(size, 1));
  assert.equal((await fetch(segment(1))).code, 255);
  assert.deepEqual(await readdir(dir.join('pgdata', 'pg_wal')), []);
});
