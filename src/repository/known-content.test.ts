/** What a machine remembers of content between runs: a help that is never trusted further than its seal, and never missed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp.ts';
import { systemClock } from '../base/clock.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { BlobIndex } from './index/blob-index.ts';
import { initRepositories } from './init.ts';
import { KnownContent } from './known-content.ts';
import type { Holder } from './locks.ts';
import { openRepository } from './repository.ts';
import { RECORD_SIZE } from './tags/tag-table.ts';
import { TAG_SIZE } from './tags/tagger.ts';

const holder: Holder = { hostname: 'h', username: 'u', pid: 1, system: 's', isAlive: () => true };

async function newRepository() {
  const store = memoryStore('a');
  await initRepositories([store], 'pw', { clock: systemClock, holder, scrypt: { N: 1024, r: 8, p: 1 } });
  return openRepository([store], 'pw', { clock: systemClock, holder });
}

/** An index that names the blobs of `records`. */
function indexOf(records: Uint8Array): BlobIndex {
  const index = new BlobIndex();
  const { pack } = index.addPack(randomBytes(32), 1);
  for (let at = 0; at < records.length; at += RECORD_SIZE) {
    index.addBlob(pack, false, records.subarray(at + TAG_SIZE, at + RECORD_SIZE), at, RECORD_SIZE, 0);
  }
  return index;
}

function sorted(records: Uint8Array): string[] {
  return Array.from({ length: records.length / RECORD_SIZE }, (_, i) =>
    Buffer.from(records.subarray(i * RECORD_SIZE, (i + 1) * RECORD_SIZE)).toString('hex'),
  ).sort();
}

test('what was learned is there in the next run, together with what was known and is still stored', async () => {
  await using dir = await tempDir();
  const repository = await newRepository();
  const cache = dir.join('cache');
  const [first, second] = [randomBytes(3 * RECORD_SIZE), randomBytes(2 * RECORD_SIZE)];
  await using none = await KnownContent.load(repository, cache);
  assert.equal(none.tags.records.byteLength, 0);
  await none.save(first, indexOf(first));

  const file = join(cache, 'known-content', repository.config.id);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!(await readFile(file)).includes(first.subarray(0, TAG_SIZE)), 'sealed');
  await using some = await KnownContent.load(repository, cache);
  assert.deepEqual(sorted(new Uint8Array(some.tags.records)), sorted(first));

  const stillStored = first.subarray(0, 2 * RECORD_SIZE);
  await some.save(second, indexOf(stillStored));
  await using more = await KnownContent.load(repository, cache);
  assert.deepEqual(sorted(new Uint8Array(more.tags.records)), sorted(Buffer.concat([stillStored, second])));
  assert.deepEqual(await readdir(join(cache, 'known-content')), [repository.config.id], 'nothing half-written');
});

test('what is damaged, cut short, of another repository or unreadable is not known', async () => {
  await using dir = await tempDir();
  const [repository, other] = [await newRepository(), await newRepository()];
  const records = randomBytes(4 * RECORD_SIZE);
  await using known = await KnownContent.load(repository, dir.path);
  await known.save(records, indexOf(records));
  const file = dir.join('known-content', repository.config.id);
  const good = await readFile(file);
  const damaged = Buffer.from(good);
  damaged[60]! ^= 1;
  const headless = repository.sealer.seal(Buffer.concat([Buffer.alloc(16), records]));
  const uneven = repository.sealer.seal(Buffer.concat([Buffer.from('holdfast tags 1\n'), records, Buffer.alloc(1)]));
  for (const bytes of [damaged, good.subarray(0, 100), Buffer.alloc(0), headless, uneven]) {
    await writeFile(file, bytes);
    assert.equal((await KnownContent.load(repository, dir.path)).tags.records.byteLength, 0);
  }
  await writeFile(dir.join('known-content', other.config.id), good);
  assert.equal((await KnownContent.load(other, dir.path)).tags.records.byteLength, 0);
  await rm(file);
  await mkdir(file);
  assert.equal((await KnownContent.load(repository, dir.path)).tags.records.byteLength, 0);
});

test('a place that cannot be written to is no failure', async () => {
  await using dir = await tempDir();
  const repository = await newRepository();
  const records = randomBytes(RECORD_SIZE);
  await writeFile(dir.join('known-content'), 'a file, not a directory');
  await using known = await KnownContent.load(repository, dir.path);
  await known.save(records, indexOf(records));
  assert.equal((await KnownContent.load(repository, dir.path)).tags.records.byteLength, 0);
});

test('once a tag was found to be wrong, everything is forgotten', async () => {
  await using dir = await tempDir();
  const repository = await newRepository();
  const records = randomBytes(RECORD_SIZE);
  {
    await using known = await KnownContent.load(repository, dir.path);
    await known.save(records, indexOf(records));
    new Int32Array(known.tags.wrong)[0] = 1;
  }
  assert.deepEqual(await readdir(dir.join('known-content')), []);
});
