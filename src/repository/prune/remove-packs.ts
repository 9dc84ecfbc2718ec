/**
 * Takes packs out of one storage: new index files without them, then the old index files go, then the packs. Interrupted anywhere it
 * leaves indexes that name packs twice or packs that nobody names, never an index that names a pack which is gone.
 */
import { atOnce } from '../../base/at-once.ts';
import { isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { PackTable } from '../check/pack-table.ts';
import { type PackEntry, scanIndex } from '../format/index-file.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { objectKey } from '../keys.ts';
import type { Lock } from '../locks.ts';
import { inMask } from '../replicas.ts';
import { packEntry, type SealIndex, writeIndexes } from './write-index.ts';

/** Index files with fewer blobs are small; this many are merged into few. */
const SMALL_INDEX = 5_000;
const MANY_SMALL = 16;
const PARALLEL = 8;
/** The lock is asked for again after this many removals. */
const REASSURE = 1_000;

export interface Removal {
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
  readonly lock: Lock;
  readonly seal: SealIndex;
  /** Numbers of the packs that go; what is needed of them stands in `newPacks` or elsewhere. */
  readonly gone: ReadonlySet<number>;
  readonly newPacks: readonly PackEntry[];
  /** Packs that the storage's index does not name and that go as well. */
  readonly unindexed: readonly Id[];
  readonly options: CallOptions;
}

export interface Removed {
  readonly packs: number;
  /** Objects that the storage refused to remove, such as those under object lock. They stay until a later prune. */
  readonly refused: number;
}

export async function removePacks(removal: Removal): Promise<Removed> {
  const stillNamed = await rewriteIndex(removal);
  const { gone, unindexed, table } = removal;
  const packs = [...gone].filter((pack) => !stillNamed.packs.has(pack)).map((pack) => table.index.packId(pack));
  const outcome = await removeObjects(removal, [...packs, ...unindexed]);
  return { packs: outcome.removed, refused: outcome.refused + stillNamed.files };
}

interface IndexFile {
  readonly id: Id;
  readonly packs: readonly number[];
  readonly blobs: number;
}

/** Returns the packs that are still named by old index files which could not be removed, and how many files those are. */
async function rewriteIndex(removal: Removal): Promise<{ packs: ReadonlySet<number>; files: number }> {
  const { gone, newPacks, lock, seal, table, options } = removal;
  const files = await readIndexFiles(removal);
  const small = files.filter(({ blobs }) => blobs < SMALL_INDEX);
  const merged = small.length >= MANY_SMALL ? new Set(small) : new Set<IndexFile>();
  const old = files.filter((file) => merged.has(file) || file.packs.some((pack) => gone.has(pack)));
  const staying = new Set(old.flatMap(({ packs }) => packs.filter((pack) => !gone.has(pack))));
  const entries = function* (): Generator<PackEntry> {
    for (const pack of [...staying].sort((a, b) => a - b)) yield packEntry(table, table.rows(pack), pack);
    yield* newPacks;
  };
  await writeIndexes(seal, lock.replica, entries(), options);
  if (old.length > 0) await lock.assertHeld();
  const refused: IndexFile[] = [];
  await atOnce(PARALLEL, old, async (file) => {
    if (!(await tryRemove(removal, objectKey('index', file.id)))) refused.push(file);
  });
  return { packs: new Set(refused.flatMap(({ packs }) => packs)), files: refused.length };
}

async function readIndexFiles({ indexed, table, lock: { replica } }: Removal): Promise<IndexFile[]> {
  const files: IndexFile[] = [];
  const held = [...indexed.indexFiles].filter(([, mask]) => inMask([replica], mask).length > 0);
  const { repository } = indexed;
  await atOnce(PARALLEL, held, async ([id, mask]) => {
    // Its own copy first: storages pruned before this one have theirs removed by now.
    const own = repository.readUnpacked('index', id, replica.bit);
    const text = await own.catch(() => repository.readUnpacked('index', id, mask));
    const packs: number[] = [];
    let blobs = 0;
    scanIndex(Buffer.from(text), {
      pack: (packId) => {
        packs.push(table.index.packNumber(packId));
      },
      blob: () => {
        blobs++;
      },
    });
    files.push({ id, packs, blobs });
  });
  return files;
}

async function removeObjects(
  removal: Removal,
  packs: readonly Id[],
): Promise<{ readonly removed: number; readonly refused: number }> {
  let removed = 0;
  let refused = 0;
  for (let start = 0; start < packs.length; start += REASSURE) {
    await removal.lock.assertHeld();
    await atOnce(PARALLEL, packs.slice(start, start + REASSURE), async (id) => {
      if (await tryRemove(removal, objectKey('data', id))) removed++;
      else refused++;
    });
  }
  return { removed, refused };
}

/** Whether the object is gone; false when the storage refuses. */
export async function tryRemove(
  { lock: { replica }, options }: Pick<Removal, 'lock' | 'options'>,
  key: string,
): Promise<boolean> {
  try {
    await replica.store.delete(key, options);
    return true;
  } catch (error) {
    if (isFailure(error, 'storage_refused')) return false;
    throw error;
  }
}
