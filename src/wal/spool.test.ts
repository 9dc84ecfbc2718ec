/** The spool: what it takes, what it refuses, and what it finds again. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Spool } from './spool.ts';

const MIB = 1024 * 1024;
const CLUSTER = { systemIdentifier: '7461234567890123456', segmentSize: MIB };
const START = 0x3_0000_0000n;
const directories: string[] = [];

after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true }))));

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hf-spool-'));
  directories.push(directory);
  return join(directory, 'spool');
}

test('bytes are taken in order, durable after a flush, found again, and readable by nobody else', async () => {
  const directory = await place();
  const bytes = randomBytes(MIB + 1000);
  {
    await using spool = await Spool.open(directory);
    await spool.adopt(CLUSTER);
    spool.begin(1, START);
    assert.deepEqual(spool.append(START, bytes.subarray(0, MIB)), { known: 0, written: MIB });
    spool.append(START + BigInt(MIB), bytes.subarray(MIB));
    assert.equal(spool.durable, START);
    await Promise.all([spool.flush(), spool.flush()]);
    assert.equal(spool.durable, START + BigInt(MIB + 1000));
  }
  await using spool = await Spool.open(directory);
  assert.deepEqual(spool.cluster, CLUSTER);
  assert.equal(spool.bytes, MIB + 1000);
  assert.deepEqual(
    spool.files.map(({ timeline, start, size }) => [timeline, start, size]),
    [
      [1, START, MIB],
      [1, START + BigInt(MIB), 1000],
    ],
  );
  const read = await spool.read(1, START + 100n, START + 5000n);
  assert.ok(read.equals(bytes.subarray(100, 5000)));
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  const [name = ''] = await readdir(join(directory, 'wal'));
  assert.equal((await stat(join(directory, 'wal', name))).mode & 0o777, 0o600);
});

test('segments that go while they are made durable do no harm, and do not come back', async () => {
  const directory = await place();
  await using spool = await Spool.open(directory);
  await spool.adopt(CLUSTER);
  spool.begin(1, START);
  for (let turn = 0n; turn < 20n; turn++) {
    const at = START + turn * BigInt(2 * MIB);
    for (const start of [at, at + BigInt(MIB)]) spool.append(start, randomBytes(MIB));
    const flushed = spool.flush();
    await Promise.all([flushed, ...spool.files.map((file) => spool.remove(file))]);
    assert.equal(spool.durable, at + BigInt(2 * MIB));
  }
  assert.deepEqual([await readdir(join(directory, 'wal')), spool.bytes], [[], 0]);
});

test('bytes that come again must be the same; a hole is refused', async () => {
  await using spool = await Spool.open(await place());
  await spool.adopt(CLUSTER);
  spool.begin(1, START);
  const bytes = randomBytes(300_000);
  spool.append(START, bytes);
  const more = Buffer.concat([bytes.subarray(1000), randomBytes(50)]);
  assert.deepEqual(spool.append(START + 1000n, more), { known: 299_000, written: 50 });
  const wrong = Buffer.from(bytes);
  wrong[250_000]! ^= 1;
  assert.throws(() => spool.append(START, wrong), { code: 'wal_diverged' });
  assert.throws(() => spool.append(START + 400_000n, bytes), { code: 'internal' });
});

test('a spool belongs to one cluster and one process', async () => {
  const directory = await place();
  await using spool = await Spool.open(directory);
  await spool.adopt(CLUSTER);
  await assert.rejects(spool.adopt({ ...CLUSTER, systemIdentifier: '1' }), { code: 'wal_foreign' });
  await assert.rejects(Spool.open(directory), { code: 'locked' });
});

test('the lock of a process that is gone, or whose number another one has, is taken over', async () => {
  const directory = await place();
  await (await Spool.open(directory))[Symbol.asyncDispose]();
  const mine = { pid: process.pid, started: '1', namespace: '' };
  {
    await using first = await Spool.open(directory);
    void first;
    Object.assign(mine, JSON.parse(await readFile(join(directory, 'lock'), 'utf8')) as object);
  }
  for (const holder of [
    { ...mine, started: '1' },
    { ...mine, pid: 999_999_999 },
  ]) {
    await writeFile(join(directory, 'lock'), JSON.stringify(holder));
    await using again = await Spool.open(directory);
    assert.equal(again.bytes, 0);
  }
});

test('a lock that was cut short by a crash is taken over once nobody has renewed it for long', async () => {
  const directory = await place();
  await (await Spool.open(directory))[Symbol.asyncDispose]();
  await writeFile(join(directory, 'lock'), '');
  await utimes(join(directory, 'lock'), 0, 0);
  await using again = await Spool.open(directory);
  assert.equal(again.bytes, 0);
});

test('a place where no directory can be made is refused', async () => {
  await assert.rejects(Spool.open('/proc/holdfast/spool'), { code: 'spool_failed' });
});

test('cutting takes bytes and files beyond a position away', async () => {
  await using spool = await Spool.open(await place());
  await spool.adopt(CLUSTER);
  spool.begin(1, START);
  for (let i = 0; i < 3; i++) spool.append(START + BigInt(i * MIB), Buffer.alloc(MIB));
  await spool.cut(1, START + BigInt(MIB) + 10n);
  assert.deepEqual([spool.bytes, spool.files.length], [MIB + 10, 2]);
});
