/** The check of one storage: its flat objects, then its packs. */
import type { ByteBudget } from '../../base/byte-budget.ts';
import { asFailure, type Failure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { Progress } from '../../base/progress.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { CheckDepth } from '../check.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { idOfKey } from '../keys.ts';
import { inMask, type Replica } from '../replicas.ts';
import type { Repository } from '../repository.ts';
import type { Fault } from './findings.ts';
import { checkFlat, checkKeyFiles } from './flat-objects.ts';
import { type Inventory, indexedPacks, takeInventory } from './inventory.ts';
import { firstDrawn, isSampled, type PackTable } from './pack-table.ts';
import { checkPacks } from './packs.ts';
import type { VerifyPool } from './verify-pool.ts';

/** Of an id, for its slice. */
const SLICE_DIGITS = 8;

export interface StorageScope {
  readonly repository: Repository;
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
  /** Which storages have which key files, snapshots. */
  readonly keyFiles: ReadonlyMap<Id, number>;
  readonly removedKeys: ReadonlySet<Id>;
  readonly snapshotFiles: ReadonlyMap<Id, number>;
  /** Points and index files of which no storage gives a copy that makes sense, by key. */
  readonly malformed: ReadonlyMap<string, Failure>;
  readonly depth: CheckDepth;
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  readonly progress: Progress;
  readonly options: CallOptions;
}

export interface StorageFaults {
  readonly replica: Replica;
  /** Of key files, index files and snapshots. */
  readonly faults: readonly Fault[];
  /** Of packs, by number. */
  readonly packFaults: ReadonlyMap<number, Fault>;
  readonly check: {
    readonly packs: number;
    readonly bytes: number;
    readonly bytesRead: number;
    readonly unindexedPacks: number;
  };
}

/** Resolves with a Failure when the storage as a whole failed. */
export async function checkStorage(scope: StorageScope, replica: Replica): Promise<StorageFaults | Failure> {
  const { progress, options } = scope;
  const step = `check-${replica.name}`;
  progress({ type: 'step', step, title: `Checking ${replica.name}` });
  try {
    const faults = await checkFlatObjects(scope, replica);
    const inventory = await takeInventory(replica, scope.table, options);
    const { faults: packFaults, ...counts } = await checkAllPacks(scope, inventory, step);
    progress({ type: 'done', step, outcome: faults.length + packFaults.size > 0 ? 'failed' : 'done' });
    const check = { ...counts, bytes: inventory.bytes, unindexedPacks: inventory.unknown.size };
    return { replica, faults, packFaults, check };
  } catch (error) {
    options.signal?.throwIfAborted();
    const failure = asFailure(error);
    progress({ type: 'done', step, outcome: 'failed', message: failure.message });
    return failure;
  }
}

async function checkFlatObjects(scope: StorageScope, replica: Replica): Promise<Fault[]> {
  const { repository, indexed, keyFiles, removedKeys, snapshotFiles, options } = scope;
  const faults = [
    ...(await checkKeyFiles(replica, keyFiles, (id) => removedKeys.has(id), options)),
    ...(await checkFlat(repository, replica, 'index', indexed.indexFiles, options)),
    ...(await checkFlat(repository, replica, 'snapshots', snapshotFiles, options)),
  ];
  return [...faults, ...malformedOnly(scope, replica, faults)];
}

/** Objects that hash to their names and are wrong all the same: whoever wrote them did so. */
function malformedOnly(scope: StorageScope, replica: Replica, faults: readonly Fault[]): Fault[] {
  const known = new Set(faults.map(({ key }) => key));
  return [...scope.malformed].flatMap(([key, { message }]): Fault[] => {
    const id = idOfKey(key) as Id;
    const mask = scope.snapshotFiles.get(id) ?? scope.indexed.indexFiles.get(id) ?? 0;
    if (known.has(key) || inMask([replica], mask).length === 0) return [];
    return [{ key, what: 'content', detail: message }];
  });
}

async function checkAllPacks(scope: StorageScope, inventory: Inventory, step: string) {
  const { table, pool, budget, depth, options, progress } = scope;
  let bytes = 0;
  return checkPacks(
    {
      ...{ table, pool, budget, options },
      deep: depth.kind !== 'hash',
      isWanted: wantedPacks(scope, inventory),
      onBytes: (more) => {
        bytes += more;
        progress({ type: 'advance', step, bytes, ...(readsAll(depth) ? { totalBytes: inventory.bytes } : {}) });
      },
    },
    inventory,
  );
}

/** Whether a check of this depth reads the object that has this id. */
export function isRead(depth: CheckDepth, id: Id): boolean {
  if (depth.kind === 'sample') return isSampled(id, depth.percent, depth.seed);
  if (depth.kind === 'slices') return depth.slices.has(Number.parseInt(id.slice(0, SLICE_DIGITS), 16) % depth.of);
  return true;
}

function readsAll({ kind }: CheckDepth): boolean {
  return kind === 'hash' || kind === 'read';
}

function wantedPacks({ table, depth }: StorageScope, { replica }: Inventory): (pack: Id) => boolean {
  if (depth.kind !== 'sample') return (id) => isRead(depth, id);
  const { percent, seed } = depth;
  const ids = indexedPacks(table, replica).map((pack) => table.index.packId(pack));
  const first = firstDrawn(ids, seed);
  return (id) => id === first || isSampled(id, percent, seed);
}
