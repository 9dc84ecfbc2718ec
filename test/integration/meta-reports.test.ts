/** Reports of proofs in the storages: kept in each, found again, merged, bounded. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import type { Id } from '../../src/base/ids.ts';
import { readReports, recordReport, type StoredReport } from '../../src/repository/meta-reports.ts';
import { init, localStores, open } from '../support/care.ts';
import { tempDir } from '../support/temp.ts';

const POINT = 'a'.repeat(64) as Id;

function report(number: number, more: Partial<StoredReport> = {}): Omit<StoredReport, 'time'> {
  const id = number.toString(16).padStart(16, '0');
  return { id, app: 'clinic', point: POINT, storage: 'a', level: 'restored', report: { number }, ...more };
}

test('a report is in every storage, and is merged from those that were away', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 3);
  await init(stores);
  await recordReport(await open(stores), report(1));
  await recordReport(await open(stores.slice(0, 1)), report(2));
  await recordReport(await open(stores.slice(1)), report(3, { app: 'other' }));
  assert.deepEqual(
    (await readReports(await open(stores), 'clinic')).map((each) => each.report),
    [{ number: 1 }, { number: 2 }],
  );
  await recordReport(await open(stores), report(4));
  await rm(dir.join('a', 'meta'), { recursive: true });
  await rm(dir.join('b', 'meta'), { recursive: true });
  assert.equal((await readReports(await open(stores), 'clinic')).length, 3);
  assert.equal((await readReports(await open(stores), 'other')).length, 1);
});

test('the newest of each app stay, and the last of each storage, by which turns are taken', async () => {
  await using dir = await tempDir();
  const stores = localStores(dir, 1);
  await init(stores);
  const repository = await open(stores);
  await recordReport(repository, report(0, { storage: 'far' }));
  await recordReport(repository, report(1, { app: 'other' }));
  for (let number = 2; number < 110; number++) await recordReport(repository, report(number));
  const kept = await readReports(repository, 'clinic');
  assert.equal(kept.length, 101);
  assert.deepEqual(kept.map(({ report: { number } }) => number).slice(0, 3), [0, 10, 11]);
  assert.equal((await readReports(repository, 'other')).length, 1);
});
