/** Checking: whatever is wrong with a storage is found and named, and what is whole is proven so. */
import assert from 'node:assert/strict';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { check } from '../../src/operations/check.ts';
import { readDamage } from '../../src/repository/meta-damage.ts';
import { readProofs } from '../../src/repository/meta-proofs.ts';
import { init, localStores, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { anyOf, flipBit, packFiles, swap, wipe } from '../support/spoil.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

async function repositoryWithPoint(dir: TempDir) {
  const stores = localStores(dir, 2);
  await init(stores);
  const point = await writePoint(await open(stores), randomFiles(6, 300_000));
  return { stores, point };
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

test('a sample reads some packs, at least one, and proves nothing', async () => {
  await using dir = await tempDir();
  const { stores, point } = await repositoryWithPoint(dir);
  const session = await openSession(stores);
  const report = await check(session, { readData: 1, seed: 'one' });
  const { bytes, bytesRead } = report.storages.get('a')!;
  assert.ok(bytesRead < bytes && bytesRead > 0);
  assert.equal((await readProofs(session.repository)).level(point, ['a', 'b']), 'stored');
});

describe('damage', () => {
  const spoil: Record<string, { what: string; key: RegExp; harm: (a: string) => Promise<void> }> = {
    'a flipped bit in a pack': {
      what: 'damaged',
      key: /^data/,
      harm: async (a) => flipBit((await packFiles(a))[0]!),
    },
    'a pack cut short': {
      what: 'size',
      key: /^data/,
      harm: async (a) => truncate((await packFiles(a))[0]!, 1000),
    },
    'a missing pack': { what: 'missing', key: /^data/, harm: async (a) => rm((await packFiles(a))[0]!) },
    'a missing tree pack': { what: 'missing', key: /^data/, harm: async (a) => rm((await packFiles(a)).at(-1)!) },
    'two packs swapped': {
      what: 'size',
      key: /^data/,
      harm: async (a) => {
        const files = await packFiles(a);
        await swap(files[0]!, files.at(-1)!);
      },
    },
    'a damaged index': { what: 'damaged', key: /^index/, harm: async (a) => flipBit(await anyOf(a, 'index')) },
    'a damaged point': { what: 'damaged', key: /^snapshots/, harm: async (a) => flipBit(await anyOf(a, 'snapshots')) },
    'a damaged key file': { what: 'damaged', key: /^keys/, harm: async (a) => flipBit(await anyOf(a, 'keys')) },
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
    await wipe(own.join('b'));
    const { findings } = await check(await openSession(stores));
    assert.deepEqual(
      findings.map(({ storage, key, what }) => [storage, key, what]),
      [['b', 'config', 'missing']],
    );
  });
});

test('a storage that is named and unknown is said so', async () => {
  await using dir = await tempDir();
  const { stores } = await repositoryWithPoint(dir);
  await assert.rejects(check(await openSession(stores), { storage: 'z' }), { code: 'storage_unknown' });
});
