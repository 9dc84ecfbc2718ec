/**
 * `node bench/load-index.ts DIRECTORY PASSWORD` opens the repository in a directory, reads its whole index and looks things up in it. Prints
 * one line of JSON. A program of its own, so that its memory is that of nothing else.
 */
import { randomBytes } from 'node:crypto';
import { systemClock } from '../src/base/clock.ts';
import { openRepository } from '../src/repository/repository.ts';
import { openLocalStore } from '../src/storage/local/local-store.ts';

const LOOKUPS = 2_000_000;

export interface IndexLoad {
  readonly blobs: number;
  /** Bytes that the index holds in memory. */
  readonly bytes: number;
  /** Seconds to open the repository (deriving the key), and to read and enter the index. */
  readonly openSeconds: number;
  readonly indexSeconds: number;
  /** Seconds since the process was started, until the index was there. */
  readonly readySeconds: number;
  readonly lookupsPerSecond: number;
}

const [path = '', password = ''] = process.argv.slice(2);
const holder = { hostname: 'bench', username: 'bench', pid: process.pid, system: 'bench', isAlive: () => true };
const begun = systemClock.monotonic();
const store = openLocalStore({ name: 'measured', path, create: false });
const repository = await openRepository([store], password, { clock: systemClock, holder });
const opened = systemClock.monotonic();
const { index } = await repository.loadIndex();
const loaded = systemClock.monotonic();

const absent = randomBytes(32);
const rows = index.blobCount;
let found = 0;
for (let i = 0; i < LOOKUPS; i++) {
  const isThere = i % 2 === 0 && rows > 0;
  const row = rows > 0 ? (Math.imul(i, 2_654_435_761) >>> 0) % rows : 0;
  const id = isThere ? index.blobId(row) : absent;
  if (!isThere) absent.writeUInt32LE((i * 2_246_822_519) >>> 0, 0);
  if (index.has(isThere && index.isTree(row) ? 'tree' : 'data', id, 1)) found++;
}
const finished = systemClock.monotonic();
if (rows > 0 && found < LOOKUPS / 2) throw new Error(`only ${found} of ${LOOKUPS / 2} blobs were found`);

const load: IndexLoad = {
  blobs: rows,
  bytes: index.byteLength,
  openSeconds: (opened - begun) / 1000,
  indexSeconds: (loaded - opened) / 1000,
  readySeconds: loaded / 1000,
  lookupsPerSecond: (LOOKUPS / (finished - loaded)) * 1000,
};
console.log(JSON.stringify(load));
await repository.close();
