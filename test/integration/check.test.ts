/** Checking: whatever is wrong with a storage is found and named, and what is whole is proven so. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { readDamage } from '../../src/repository/meta-damage.ts';
import { readProofs } from '../../src/repository/meta-proofs.ts';
import { init, localStores, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

async function repositoryWithPoint(dir: TempDir) {
  const stores = localStores(dir, 2);
  await init(stores);
  const point = await writePoint(await open(stores), randomFiles(6, 300_000));
  return { stores, point };
}

/** Paths of the packs of a storage, the largest first. */
async function packs(path: string): Promise<string[]> {
  const names = await readdir(join(path, 'data'), { recursive: true });
  const files = names.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(path, 'data', name));
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await readFile(file)).length })));
  return sized.sort((a, b) => b.size - a.size).map(({ file }) => file);
}

async function flipBit(file: string, at?: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at ?? bytes.length >> 1]! ^= 1;
  await rm(file);
  await writeFile(file, bytes);
}

test('a whole repository is found whole, hashed on every storage, and the points say so', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const session = await openSession(stores);
  const report = await check(session);
  assert.deepEqual(report.findings, []);
  assert.deepEqual([...report.storages.keys()].sort(), ['a', 'b']);
  for (const { bytes, bytesRead, soundPoints } of report.storages.values()) {
    assert.ok(bytes > 1_000_000);
    assert.equal(bytesRead, bytes);
    assert.deepEqual(soundPoints, [point]);
  }
  const proofs = await readProofs(session.repository);
  assert.equal(proofs.level(point, ['a', 'b']), 'checked');
});

test('reading all data proves more than hashing it', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const session = await openSession(stores);
  await check(session, { readData: true, storage: 'a' });
  assert.equal((await readProofs(session.repository)).level(point, ['a', 'b']), 'stored');
  await check(session, { readData: true });
  assert.equal((await readProofs(session.repository)).level(point, ['a', 'b']), 'read');
});

test('a sample reads only some packs and proves nothing, but finds damage in what it reads', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const session = await openSession(stores);
  const report = await check(session, { readData: 30, seed: 'one' });
  const { bytes, bytesRead } = report.storages.get('a')!;
  assert.ok(bytesRead < bytes);
  assert.equal((await readProofs(session.repository)).level(point, ['a', 'b']), 'stored');
});

describe('damage', () => {
  const spoil: Record<string, { what: string; key: RegExp; harm: (a: string) => Promise<void> }> = {
    'a flipped bit in a pack': {
      what: 'damaged',
      key: /^data/,
      harm: async (a) => flipBit((await packs(a))[0]!),
    },
    'a pack cut short': {
      what: 'size',
      key: /^data/,
      harm: async (a) => truncate((await packs(a))[0]!, 1000),
    },
    'a missing pack': { what: 'missing', key: /^data/, harm: async (a) => rm((await packs(a))[0]!) },
    'a missing tree pack': { what: 'missing', key: /^data/, harm: async (a) => rm((await packs(a)).at(-1)!) },
    'two packs swapped': {
      what: 'size',
      key: /^data/,
      harm: async (a) => {
        const files = await packs(a);
        const [first, second] = [files[0]!, files.at(-1)!];
        const [x, y] = [await readFile(first), await readFile(second)];
        await rm(first);
        await rm(second);
        await writeFile(first, y);
        await writeFile(second, x);
      },
    },
    'a damaged index': { what: 'damaged', key: /^index/, harm: (a) => spoilOnly(a, 'index') },
    'a damaged point': { what: 'damaged', key: /^snapshots/, harm: (a) => spoilOnly(a, 'snapshots') },
    'a damaged key file': { what: 'damaged', key: /^keys/, harm: (a) => spoilOnly(a, 'keys') },
    'a missing index': {
      what: 'incomplete',
      key: /^snapshots/,
      harm: async (a) => rm(join(a, 'index'), { recursive: true }),
    },
  };
  for (const [name, { what, key, harm }] of Object.entries(spoil)) {
    test(`${name} is found on that storage, named, and remembered`, async () => {
      await using own = await tempDir();
      const { stores, point } = await repositoryWithPoint(own);
      await check(await openSession(stores));
      await harm(own.join('a'));
      const session = await openSession(stores);
      const { findings } = await check(session);
      assert.ok(findings.length > 0);
      assert.ok(findings.every(({ storage }) => storage === 'a'));
      const found = findings.find((finding) => finding.what === what && key.test(finding.key));
      assert.ok(found, JSON.stringify(findings));
      const known = await readDamage(session.repository);
      assert.ok(known.some((damage) => damage.key === found.key));
      const hurtsPoint = !found.key.startsWith('keys/') && !found.key.startsWith('index/');
      if (hurtsPoint) assert.equal((await readProofs(session.repository)).level(point, ['a', 'b']), 'stored');
    });
  }
  test('a storage that was wiped is reported', async () => {
    await using own = await tempDir();
    const { stores } = await repositoryWithPoint(own);
    for (const name of await readdir(own.join('b'))) await rm(own.join('b', name), { recursive: true });
    const { findings } = await check(await openSession(stores));
    assert.deepEqual(
      findings.map(({ storage, key, what }) => [storage, key, what]),
      [['b', 'config', 'missing']],
    );
  });
});

async function spoilOnly(storage: string, kind: string): Promise<void> {
  const [name] = await readdir(join(storage, kind));
  await flipBit(join(storage, kind, name!));
}

test('a storage that is named and unknown is said so', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir);
  await assert.rejects(check(await openSession(stores), { storage: 'z' }), { code: 'storage_unknown' });
});
