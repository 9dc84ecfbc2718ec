import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { manualClock } from '../base/testing/manual-clock.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { takeLease } from '../catalog/leases.ts';
import { noteObserved, observations } from '../catalog/observations.ts';
import { TURN_MS, takeTurn } from './take-turns.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hf-turns-'));
});
after(() => rm(directory, { recursive: true }));

let made = 0;
const open = () => openCatalog({ path: join(directory, `${++made}.sqlite`) });

/** Whether `holder` gets to work now, and what it leaves behind. */
async function look(catalog: Catalog, clock: ReturnType<typeof manualClock>, holder: string): Promise<boolean> {
  let worked = false;
  await takeTurn(catalog, clock, { name: 'look', holder }, async () => {
    worked = true;
    return (db) => noteObserved(db, holder, clock.now());
  });
  return worked;
}

test('who was killed while looking holds others up for less than half a minute', async () => {
  await using catalog = await open();
  const clock = manualClock();
  await takeLease(catalog.db, 'look', 'killed', clock.now(), TURN_MS); // and never a word again
  await clock.advance(TURN_MS - 1);
  assert.equal(await look(catalog, clock, 'other'), false);
  await clock.advance(2);
  assert.equal(await look(catalog, clock, 'other'), true);
  assert.ok(TURN_MS <= 30_000);
});

test('work that takes many times the lease stays with who does it, and the next follows at once', async () => {
  await using catalog = await open();
  const clock = manualClock();
  const slow = Promise.withResolvers<void>();
  const working = takeTurn(catalog, clock, { name: 'look', holder: 'slow' }, async () => {
    await slow.promise;
    return (db) => noteObserved(db, 'slow', clock.now());
  });
  for (let third = 0; third < 30; third++) {
    while (clock.sleeping.length === 0) await new Promise(setImmediate);
    assert.equal(await look(catalog, clock, 'other'), false);
    await clock.advance(TURN_MS / 3);
  }
  slow.resolve();
  await working;
  assert.equal(await look(catalog, clock, 'other'), true);
  assert.deepEqual([...(await observations(catalog.db)).keys()].sort(), ['other', 'slow']);
});

test('who stood still while another took its turn writes nothing about it', async () => {
  await using catalog = await open();
  const clock = manualClock();
  await takeTurn(catalog, clock, { name: 'look', holder: 'paused' }, async () => {
    const later = { ...clock, now: () => clock.now() + 2 * TURN_MS, sleep: clock.sleep };
    assert.equal(await look(catalog, later as ReturnType<typeof manualClock>, 'other'), true);
    return (db) => noteObserved(db, 'paused', clock.now());
  });
  assert.deepEqual([...(await observations(catalog.db)).keys()], ['other']);
});
