/** Repositories for the tests that create, spoil, check and heal them: several local storages, and points written straight by the engine. */
import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { Id } from '../../src/base/ids.ts';
import { silent } from '../../src/base/progress.ts';
import type { Session } from '../../src/operations/session.ts';
import { encodeNode } from '../../src/repository/format/tree.ts';
import { type InitResult, initRepositories } from '../../src/repository/init.ts';
import type { Holder } from '../../src/repository/locks.ts';
import { PointWriter } from '../../src/repository/point-writer.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import { openLocalStore } from '../../src/storage/local/local-store.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import type { TempDir } from './temp.ts';

export const PASSWORD = 'correct horse battery staple';

/** Deriving a key at this cost takes milliseconds; restic accepts it. */
export const CHEAP = { N: 1024, r: 8, p: 1 };

/** The system's clock without the short waits, such as the one after a lock is written. */
const quickClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms < 1000 ? 0 : ms, signal),
};

export const holder: Holder = {
  hostname: 'test-host',
  username: 'tester',
  pid: process.pid,
  system: 'test',
  isAlive: (pid) => pid === process.pid,
};

/** Local storages `a`, `b`, `c`… in directories of these names below `dir`. */
export function localStores(dir: TempDir, count = 3): ObjectStore[] {
  return Array.from({ length: count }, (_, i) => localStore(dir, 'abcdefgh'.charAt(i)));
}

export function localStore(dir: TempDir, name: string): ObjectStore {
  return openLocalStore({ name, path: dir.join(name), create: true });
}

export function init(stores: readonly ObjectStore[], password = PASSWORD): Promise<InitResult> {
  return initRepositories(stores, password, { clock: systemClock, holder, scrypt: CHEAP });
}

export function open(
  stores: readonly ObjectStore[],
  password = PASSWORD,
  heldBy: Partial<Holder> = {},
): Promise<Repository> {
  return openRepository(stores, password, { clock: quickClock, holder: { ...holder, ...heldBy } });
}

export async function openSession(stores: readonly ObjectStore[], heldBy: Partial<Holder> = {}): Promise<Session> {
  return {
    repository: await open(stores, PASSWORD, heldBy),
    clock: systemClock,
    signal: new AbortController().signal,
    progress: silent,
  };
}

/** File name → content. */
export type Files = Readonly<Record<string, Uint8Array>>;

export interface PointOptions {
  readonly app?: string;
  readonly sources?: readonly string[];
  /** Milliseconds since the epoch; default now. */
  readonly time?: number;
  readonly packSize?: number;
  /** Storages that must not get the point. */
  readonly behind?: readonly string[];
}

/** Writes a point of files in one directory, as a backup does. Returns its id. */
export async function writePoint(repository: Repository, files: Files, options: PointOptions = {}): Promise<Id> {
  const { app = 'clinic', sources = ['media'], time = Date.now(), packSize = 1024 * 1024, behind = [] } = options;
  await listSnapshots(repository);
  const indexed = await repository.loadIndex();
  await using lock = await repository.lock(false);
  await using writer = new PointWriter(indexed, {
    seal: { packSize, compression: 3 },
    workers: 1,
    behind: repository.replicas.filter(({ name }) => behind.includes(name)),
    signal: new AbortController().signal,
  });
  void lock;
  const tree = writer.newTree();
  for (const name of Object.keys(files).sort()) {
    const bytes = files[name]!;
    const content = await writer.pool.storeContent(Uint8Array.from(bytes));
    tree.add(encodeNode(fileNode(name, bytes.length, content)));
  }
  const root = Buffer.from(await tree.finish()).toString('hex') as Id;
  const tags = ['holdfast', `app=${app}`, ...sources.map((source) => `source=${source}`)];
  const { id } = await writer.commit({ time: new Date(time).toISOString(), tree: root, paths: [`/${app}`], tags });
  return id;
}

function fileNode(name: string, size: number, content: Uint8Array) {
  const now = 1_700_000_000_000_000_000n;
  return {
    ...({ name: Buffer.from(name), type: 'file', mode: 0o644, size, content } as const),
    ...{ mtimeNs: now, atimeNs: now, ctimeNs: now, uid: 0, gid: 0, inode: 1n, deviceId: 1n, links: 1 },
  };
}

/** `count` files of random bytes, `size` each. */
export function randomFiles(count: number, size: number, prefix = 'file'): Files {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`${prefix}-${String(i).padStart(4, '0')}`, randomBytes(size)]),
  );
}
