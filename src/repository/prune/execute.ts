/** Carries out the plans: what is needed of packs that go is moved first, once for all storages that are pruned alike. */

import { hash } from 'node:crypto';
import type { ByteBudget } from '../../base/byte-budget.ts';
import { asFailure, Failure } from '../../base/failure.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { PackTable } from '../check/pack-table.ts';
import type { VerifyPool } from '../check/verify-pool.ts';
import type { PackEntry } from '../format/index-file.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import type { Lock } from '../locks.ts';
import { inMask, type Replica } from '../replicas.ts';
import { moveBlobs } from './move-blobs.ts';
import type { PackPlan } from './plan.ts';
import { type Removed, removePacks } from './remove-packs.ts';
import { sealIndexOnce } from './write-index.ts';

export interface PruneWork {
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  readonly packSize: number;
  readonly options: CallOptions;
  readonly onBytes: (bytes: number) => void;
}

export interface StorageWork {
  readonly replica: Replica;
  readonly lock: Lock;
  readonly plan: PackPlan;
}

/** What became of each storage, by name. */
export async function executePlans(
  work: PruneWork,
  storages: readonly StorageWork[],
): Promise<ReadonlyMap<string, Removed | Failure>> {
  const outcomes = new Map<string, Removed | Failure>();
  const seal = sealIndexOnce(work.indexed.repository);
  for (const group of alike(storages)) {
    const moved = await move(work, group, outcomes);
    for (const storage of group.filter(({ replica }) => !outcomes.has(replica.name))) {
      const { plan, lock } = storage;
      const gone = new Set([...plan.remove, ...plan.repack]);
      const removal = { ...work, lock, seal, gone, newPacks: moved, unindexed: plan.unindexed };
      outcomes.set(storage.replica.name, await settle(work, () => removePacks(removal)));
    }
  }
  return outcomes;
}

async function settle(work: PruneWork, run: () => Promise<Removed>): Promise<Removed | Failure> {
  try {
    return await run();
  } catch (error) {
    work.options.signal?.throwIfAborted();
    return asFailure(error, 'storage_unreachable');
  }
}

/** Moves what is needed; storages that failed in it have their outcome afterwards. */
async function move(
  work: PruneWork,
  group: readonly StorageWork[],
  outcomes: Map<string, Removed | Failure>,
): Promise<readonly PackEntry[]> {
  const targets = group.map(({ replica }) => replica);
  const { replicas } = work.indexed.repository;
  try {
    const moved = await moveBlobs(
      { ...work, targets, sources: (pack) => inMask(replicas, work.table.index.packMask(pack)) },
      group[0]?.plan.rows ?? [],
    );
    if (moved.lost.length > 0) throw lostBlobs(moved.lost.length);
    for (const [name, failure] of moved.failures) outcomes.set(name, failure);
    return moved.packs;
  } catch (error) {
    work.options.signal?.throwIfAborted();
    const failure = asFailure(error, 'storage_unreachable');
    for (const { name } of targets) outcomes.set(name, failure);
    return [];
  }
}

function lostBlobs(count: number): Failure {
  return new Failure('data_damaged', `${count} needed blobs have no good copy anywhere; no pack was removed.`, {
    hint: 'Run "holdfast check --read-data", then "holdfast sync".',
  });
}

/** Storages that repack exactly the same. */
function alike(storages: readonly StorageWork[]): StorageWork[][] {
  const groups = new Map<string, StorageWork[]>();
  for (const storage of storages) {
    const key = hash('sha256', Uint32Array.from([...storage.plan.repack, 0, ...storage.plan.rows]), 'hex');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [storage]);
    else group.push(storage);
  }
  return [...groups.values()];
}
