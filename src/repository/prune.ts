/**
 * Removing points and freeing what nobody needs any more, storage by storage under an exclusive lock.
 *
 *   points go ──▶ trees of the rest are walked ──▶ new packs ──▶ new indexes ──▶ old indexes go ──▶ packs go
 *
 * The lock is asked for again before anything is removed. A storage on which something needed is missing or damaged is left alone: first
 * check and sync, then prune. Interrupted anywhere, a storage holds every point that it shows.
 */
import { ByteBudget } from '../base/byte-budget.ts';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { takeInventory } from './check/inventory.ts';
import { PackTable } from './check/pack-table.ts';
import { traceUsage, type Usage } from './check/usage.ts';
import { VerifyPool } from './check/verify-pool.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { idOfKey } from './keys.ts';
import { readDamage } from './meta-damage.ts';
import { type Removal, recordRemovals } from './meta-removals.ts';
import { executePlans, type StorageWork } from './prune/execute.ts';
import { forgetPoints } from './prune/forget-points.ts';
import { type PackPlan, planPacks } from './prune/plan.ts';
import { inMask, type Replica } from './replicas.ts';
import type { Repository } from './repository.ts';
import { listSnapshots, type SnapshotList } from './snapshots.ts';
import { type LockedStorages, lockEach } from './sync/lock-each.ts';

export interface PruneOptions {
  /** Which points go, from which storages; asked once the storages are locked. */
  readonly decide: (list: SnapshotList, repository: Repository) => Promise<readonly Removal[]>;
  /** Only plan. */
  readonly dryRun?: boolean;
  /** Only take away packs that are known to be damaged and are not needed any more. */
  readonly onlyDamaged?: boolean;
  /** Bytes after which a new pack is closed. */
  readonly packSize?: number;
  readonly progress?: Progress;
}

export interface StoragePrune {
  readonly forgotten: readonly Removal[];
  readonly plan: PackPlan;
  /** Objects that the storage refused to remove (object lock). */
  readonly refused: number;
}

export interface PruneReport {
  readonly storages: ReadonlyMap<string, StoragePrune>;
  /** Storages that were left alone, or on which the work ended early. */
  readonly failures: ReadonlyMap<string, Failure>;
}

const MEMORY = 128 * 1024 * 1024;
const DEFAULT_PACK_SIZE = 16 * 1024 * 1024;

/** Throws only when no storage can be locked. */
export async function pruneStorages(opened: Repository, options: PruneOptions): Promise<PruneReport> {
  const { dryRun = false } = options;
  const locked = await lockEach(opened, { exclusive: !dryRun, readOnly: dryRun });
  await using held = locked.locks;
  const failures = new Map<string, Failure>([
    ...opened.lost.map(({ name, failure }) => [name, failure] as const),
    ...locked.failures,
  ]);
  const signal = AbortSignal.any([held.lost, ...(opened.settings.signal ? [opened.settings.signal] : [])]);
  return await new Prune(locked, options, { signal }, failures).run();
}

interface Ground {
  readonly list: SnapshotList;
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
}

class Prune {
  readonly #repository: Repository;
  readonly #locked: LockedStorages;
  readonly #options: PruneOptions;
  readonly #callOptions: CallOptions;
  readonly #failures: Map<string, Failure>;
  readonly #progress: Progress;

  constructor(locked: LockedStorages, options: PruneOptions, callOptions: CallOptions, failures: Map<string, Failure>) {
    this.#repository = locked.repository;
    this.#locked = locked;
    this.#options = options;
    this.#callOptions = callOptions;
    this.#failures = failures;
    this.#progress = options.progress ?? silent;
  }

  async run(): Promise<PruneReport> {
    const list = await listSnapshots(this.#repository);
    const indexed = await this.#repository.loadIndex();
    const ground = { list, indexed, table: new PackTable(indexed.index) };
    this.#leaveDamaged(ground);
    const wanted = await this.#options.decide(list, this.#repository);
    const usable = wanted.filter(({ storage }) => this.#targets().some(({ name }) => name === storage));
    const expected = await this.#trace(ground, usable);
    await this.#assertWhole(ground, expected);
    const gone = this.#options.dryRun ? usable : await this.#forget(usable);
    // A point that a storage would not let go of still needs its blobs.
    const usage = gone.length === usable.length ? expected : await this.#trace(ground, gone);
    const plans = await this.#plan(ground, usage);
    const refused = this.#options.dryRun ? new Map<string, number>() : await this.#execute(ground, plans);
    const storages = [...plans].map(([{ name }, plan]): [string, StoragePrune] => {
      const forgotten = gone.filter(({ storage }) => storage === name);
      return [name, { forgotten, plan, refused: refused.get(name) ?? 0 }];
    });
    return { storages: new Map(storages), failures: this.#failures };
  }

  /** Storages that are worked on: locked, and nothing against it so far. */
  #targets(): Replica[] {
    return this.#repository.replicas.filter(({ name }) => !this.#failures.has(name));
  }

  #leaveDamaged({ list, indexed }: Ground): void {
    for (const { mask } of list.damaged) this.#leaveAlone(mask, 'a point on it cannot be read');
    for (const { mask } of indexed.damagedIndexes) this.#leaveAlone(mask, 'an index file on it cannot be read');
  }

  #leaveAlone(mask: number, why: string): void {
    for (const { name } of inMask(this.#targets(), mask)) {
      const failure = new Failure('data_damaged', `${name} was not pruned: ${why}.`, {
        hint: 'Run "holdfast check", then "holdfast sync", then prune again.',
      });
      this.#failures.set(name, failure);
    }
  }

  #trace({ list, indexed }: Ground, gone: readonly Removal[]): Promise<Usage> {
    const step = 'trees';
    this.#progress({ type: 'step', step, title: 'Finding what is needed' });
    const all = this.#targets().reduce((mask, { bit }) => (mask | bit) >>> 0, 0);
    const masks = new Map(list.snapshots.map(({ id, mask }) => [id, (mask & all) >>> 0]));
    for (const { point, storage } of gone) {
      const bit = this.#repository.replica(storage)?.bit ?? 0;
      masks.set(point, ((masks.get(point) ?? 0) & ~bit) >>> 0);
    }
    const roots = list.snapshots.map(({ id, snapshot: { tree } }) => ({ tree, mask: masks.get(id) ?? 0 }));
    return traceUsage(
      indexed,
      roots.filter(({ mask }) => mask !== 0),
      { ...this.#callOptions, onTrees: (items) => this.#progress({ type: 'advance', step, items }) },
    ).finally(() => this.#progress({ type: 'done', step, outcome: 'done' }));
  }

  /** Before anything is removed: whatever stays must be whole. */
  async #assertWhole(ground: Ground, usage: Usage): Promise<void> {
    for (const mask of usage.unindexed.values())
      this.#leaveAlone(mask, 'a point on it needs blobs that are in no index');
    for (const tree of usage.badTrees.keys()) {
      const row = ground.indexed.index.firstRow('tree', Buffer.from(tree, 'hex'));
      this.#leaveAlone(usage.needed[row] ?? 0, 'a directory of a point cannot be read');
    }
    await this.#plan(ground, usage);
  }

  async #forget(wanted: readonly Removal[]): Promise<readonly Removal[]> {
    const removals = wanted.filter(({ storage }) => this.#targets().some(({ name }) => name === storage));
    await recordRemovals(this.#repository, removals);
    const { removed, failures } = await forgetPoints(this.#locked, removals, this.#callOptions);
    for (const [name, failure] of failures) this.#failures.set(name, failure);
    return removed;
  }

  async #plan({ table }: Ground, usage: Usage): Promise<ReadonlyMap<Replica, PackPlan>> {
    const damage = await readDamage(this.#repository);
    const plans = new Map<Replica, PackPlan>();
    for (const replica of this.#targets()) {
      const inventory = await takeInventory(replica, table, this.#callOptions);
      const known = damage.filter(({ storage, key }) => storage === replica.name && key.startsWith('data/'));
      const distrusted = new Set(
        known.map(({ key }) => table.index.packNumber(Buffer.from(idOfKey(key) as Id, 'hex'))),
      );
      const { onlyDamaged = false, packSize = DEFAULT_PACK_SIZE } = this.#options;
      const plan = planPacks({ table, usage, inventory, distrusted, packSize, onlyDistrusted: onlyDamaged });
      if ('lacking' in plan) this.#leaveAlone(replica.bit, `${plan.lacking} blobs that its points need are missing`);
      else plans.set(replica, plan);
    }
    return plans;
  }

  async #execute(ground: Ground, plans: ReadonlyMap<Replica, PackPlan>): Promise<ReadonlyMap<string, number>> {
    const step = 'packs';
    const totalBytes = [...plans.values()].reduce((sum, plan) => sum + plan.repackedBytes, 0);
    this.#progress({ type: 'step', step, title: 'Freeing space', totalBytes });
    let bytes = 0;
    const onBytes = (more: number) => {
      bytes += more;
      this.#progress({ type: 'advance', step, bytes, totalBytes });
    };
    await using pool = new VerifyPool(this.#repository.masterKey);
    const { packSize = DEFAULT_PACK_SIZE } = this.#options;
    const tools = { pool, budget: new ByteBudget(MEMORY), packSize, options: this.#callOptions, onBytes };
    const outcomes = await executePlans({ ...ground, ...tools }, this.#work(plans));
    const refused = new Map<string, number>();
    for (const [name, outcome] of outcomes) {
      if (outcome instanceof Failure) this.#failures.set(name, outcome);
      else refused.set(name, outcome.refused);
    }
    this.#progress({ type: 'done', step, outcome: this.#failures.size > 0 ? 'failed' : 'done' });
    return refused;
  }

  #work(plans: ReadonlyMap<Replica, PackPlan>): StorageWork[] {
    return this.#locked.locks.locks.flatMap((lock) => {
      const plan = plans.get(lock.replica);
      return plan === undefined ? [] : [{ replica: lock.replica, lock, plan }];
    });
  }
}
