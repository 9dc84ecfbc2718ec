/** Reading back slice after slice: each reads its part, all of them everything, and what is found is healed by sync. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { test } from 'node:test';
import { sync } from '../../src/operations/sync.ts';
import { verifySlices } from '../../src/operations/verify.ts';
import { readDamage } from '../../src/repository/meta-damage.ts';
import { readProofs } from '../../src/repository/meta-proofs.ts';
import { init, localStores, open, openSession, randomFiles, writePoint } from '../support/care.ts';
import { flipBit, packFiles } from '../support/spoil.ts';
import { tempDir } from '../support/temp.ts';

const OF = 5;

async function readSlices(session: Awaited<ReturnType<typeof openSession>>) {
  const found = [];
  let bytes = 0;
  for (let slice = 0; slice < OF; slice++) {
    const { findings, storages } = await verifySlices(session, { slices: new Set([slice]), of: OF });
    found.push(...findings);
    bytes += storages.get('a')!.bytesRead;
  }
  return { found, bytes };
}

test('every slice reads its part, all of them every byte once; damage is found by the slice it is in, and healed', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 2);
  await init(stores);
  const point = await writePoint(await open(stores), randomFiles(6, 300_000));
  const whole = await readSlices(await openSession(stores));
  const { storages } = await verifySlices(await openSession(stores), { slices: new Set(), of: 1 });
  assert.deepEqual(whole.found, []);
  assert.equal(whole.bytes, storages.get('a')!.bytes);
  assert.equal((await readProofs((await openSession(stores)).repository)).level(point, ['a', 'b']), 'stored');

  const root = dir.join('a');
  const [first, second] = await packFiles(root);
  await flipBit(first!);
  await rm(second!);
  const session = await openSession(stores);
  const damaged = await readSlices(session);
  const told = damaged.found.map(({ key, what }) => `${what} ${basename(key)}`);
  assert.deepEqual(new Set(told), new Set([`damaged ${basename(first!)}`, `missing ${basename(second!)}`]));
  assert.equal((await readDamage(session.repository)).length, 2);

  await sync(await openSession(stores));
  const healed = await readSlices(await openSession(stores));
  assert.deepEqual(healed.found, []);
  assert.deepEqual(await readDamage((await openSession(stores)).repository), []);
});
