import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { initRepositories } from '../../repository/init.ts';
import { openRepository } from '../../repository/repository.ts';
import { memoryStore } from '../../storage/testing/memory-store.ts';
import { WalArchive } from '../archive.ts';
import { openPiece } from '../sealed.ts';
import { Sealing } from './parcel.ts';

const MIB = 1024 * 1024;
const HOLDER = { hostname: 'h', username: 'u', pid: process.pid, system: 't', isAlive: () => true };

async function archiveIn(store = memoryStore()): Promise<WalArchive> {
  const more = { clock: systemClock, holder: HOLDER };
  await initRepositories([store], 'sealed in turn', { ...more, scrypt: { N: 1024, r: 8, p: 1 } });
  return new WalArchive(await openRepository([store], 'sealed in turn', more), '7');
}

function span(start: number, end: number) {
  const commits = { firstCommit: undefined, lastCommit: undefined };
  return { systemIdentifier: '7', timeline: 1, start: BigInt(start), end: BigInt(end), segmentSize: MIB, ...commits };
}

test('an urgent piece is sealed before one that was begun earlier and is not, and both open to their bytes', async () => {
  const archive = await archiveIn();
  const log = randomBytes(2 * MIB);
  const order: string[] = [];
  let urgent: Promise<void> | undefined;
  const seal = async (start: number, end: number, isUrgent: boolean) => {
    const { piece, sealed } = await sealing.seal(span(start, end), isUrgent);
    order.push(isUrgent ? 'urgent' : 'patient');
    assert.deepEqual(openPiece(archive.repository.sealer, sealed, piece), log.subarray(start, end));
  };
  const sealing = new Sealing({
    archive,
    storages: 1,
    read: async ({ start, end }, into) => {
      if (end - start === BigInt(MIB)) urgent = seal(MIB, MIB + 5000, true);
      return into.fill(log.subarray(Number(start), Number(end))).subarray(0, Number(end - start));
    },
  });
  await seal(0, MIB, false);
  await urgent;
  assert.deepEqual(order, ['urgent', 'patient']);
});
