/**
 * Bringing storages level and healing them: plan per storage, then do, packs before indexes before points.
 *
 * Every object is replaced only by a whole one (put is atomic) that was hashed on the way; nothing damaged is removed unless all that is
 * needed of it stands elsewhere on the same storage. What has no good copy anywhere is reported and left as it is: a later copy, or a
 * better disk, may still bring it back. Interrupted, it leaves packs that are found again, and no point that is not whole.
 */
import { ByteBudget } from '../base/byte-budget.ts';
import { asFailure, Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { traceUsage } from './check/usage.ts';
import { VerifyPool } from './check/verify-pool.ts';
import { assertKnown } from './check.ts';
import { objectKey } from './keys.ts';
import type { Damage } from './meta-damage.ts';
import type { Replica } from './replicas.ts';
import type { Repository } from './repository.ts';
import { adoptLost } from './sync/adopt.ts';
import { type Executed, type Execution, execute } from './sync/execute.ts';
import type { InspectOptions } from './sync/inspect.ts';
import { lockEach } from './sync/lock-each.ts';
import { planStorage, type StoragePlan, wantedOn } from './sync/plan.ts';
import { rebuildIndex } from './sync/rebuild-index.ts';
import { type Survey, survey } from './sync/survey.ts';

export interface SyncOptions {
  /** Names; all storages when left out. The others are read from, not written to. */
  readonly storages?: readonly string[];
  /** Read, hash and open everything on these storages to find damage. */
  readonly readData: boolean;
  /** Storages that were wiped are rebuilt also where the file system that they lay on is not mounted. */
  readonly moved?: boolean;
  readonly progress?: Progress;
}

export interface StorageSync {
  /** It was wiped, or had lost its config or keys. */
  readonly rebuilt: boolean;
  readonly packsCopied: number;
  /** Blobs that came into new packs of their own. */
  readonly blobsMoved: number;
  readonly bytes: number;
  readonly pointsCopied: number;
  /** Key files and index files copied or replaced. */
  readonly flatReplaced: number;
}

export interface SyncReport {
  readonly storages: ReadonlyMap<string, StorageSync>;
  /** Storages that could not be brought level. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** What has no good copy anywhere. */
  readonly remaining: readonly Damage[];
}

const MEMORY = 128 * 1024 * 1024;

/** Throws only when no storage can be worked on at all, or `storage_unknown`. */
export async function syncStorages(opened: Repository, options: SyncOptions): Promise<SyncReport> {
  const { progress = silent } = options;
  assertKnown(opened, options.storages);
  const isChosen = (name: string) => options.storages === undefined || options.storages.includes(name);
  const adoption = await adoptLost(opened, isChosen, options.moved ?? false);
  const { repository, locks, failures } = await lockEach(adoption.repository, { exclusive: false });
  await using held = locks;
  void held;
  const signal = AbortSignal.any([locks.lost, ...(opened.settings.signal ? [opened.settings.signal] : [])]);
  const targets = repository.replicas.filter(({ name }) => isChosen(name));
  await using pool = new VerifyPool(repository.masterKey);
  const tools: Tools = { pool, budget: new ByteBudget(MEMORY), callOptions: { signal }, progress };
  const ground = await prepare(repository, targets, options.readData, tools);
  const run: Run = { ...ground, tools, targets, adopted: new Set(adoption.adopted) };
  return await runAll(run, new Map([...adoption.failures, ...[...failures].filter(([name]) => isChosen(name))]));
}

interface Tools {
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  readonly callOptions: CallOptions;
  readonly progress: Progress;
}

interface Run {
  readonly survey: Survey;
  readonly usage: Execution['usage'];
  readonly tools: Tools;
  readonly targets: readonly Replica[];
  readonly adopted: ReadonlySet<string>;
}

/** Surveys the storages; once more after packs had to be brought back into an index. */
async function prepare(
  repository: Repository,
  targets: readonly Replica[],
  readData: boolean,
  tools: Tools,
): Promise<Pick<Run, 'survey' | 'usage'>> {
  const { progress, callOptions } = tools;
  progress({ type: 'step', step: 'survey', title: 'Comparing the storages' });
  const read: Record<string, number> = {};
  const inspect: InspectOptions = {
    ...{ pool: tools.pool, budget: tools.budget, options: callOptions },
    readData: (replica) => readData && targets.includes(replica),
    onBytes: ({ name }, bytes) => {
      read[name] = (read[name] ?? 0) + bytes;
      progress({
        type: 'advance',
        step: 'survey',
        bytes: Object.values(read).reduce((a, b) => a + b, 0),
        current: name,
      });
    },
  };
  let found = await survey(repository, inspect, callOptions);
  let usage = await trace(found, targets, callOptions);
  if (usage.unindexed.size > 0 && (await indexUnknownPacks(found, targets, callOptions)) > 0) {
    found = await survey(repository, inspect, callOptions);
    usage = await trace(found, targets, callOptions);
  }
  progress({ type: 'done', step: 'survey', outcome: 'done' });
  return { survey: found, usage };
}

function trace(found: Survey, targets: readonly Replica[], callOptions: CallOptions) {
  const roots = found.list.snapshots.map((stored) => ({
    tree: stored.snapshot.tree,
    mask: wantedOn(found, stored, targets),
  }));
  return traceUsage(found.indexed, roots, callOptions);
}

async function indexUnknownPacks(found: Survey, targets: readonly Replica[], options: CallOptions): Promise<number> {
  let packs = 0;
  for (const { number } of targets) {
    const inventory = found.inventories.get(number);
    if (inventory !== undefined) packs += await rebuildIndex(found.repository, inventory, options);
  }
  return packs;
}

async function runAll(run: Run, failures: Map<string, Failure>): Promise<SyncReport> {
  const storages = new Map<string, StorageSync>();
  const remaining: Damage[] = [];
  for (const replica of run.targets) {
    const plan = planStorage(run.survey, run.usage, run.targets, replica);
    const outcome = await runOne(run, plan);
    if (outcome instanceof Failure) {
      failures.set(replica.name, outcome);
      continue;
    }
    remaining.push(...whatRemains(run, plan, outcome));
    const { packsCopied, blobsMoved, bytes, pointsCopied, flatReplaced } = outcome;
    storages.set(replica.name, {
      rebuilt: run.adopted.has(replica.name),
      ...{ packsCopied, blobsMoved, bytes, pointsCopied, flatReplaced },
    });
  }
  return { storages, failures, remaining };
}

async function runOne({ survey: found, usage, tools }: Run, plan: StoragePlan): Promise<Executed | Failure> {
  const { pool, budget, callOptions, progress } = tools;
  const { name } = plan.replica;
  const step = `sync-${name}`;
  const totalBytes = plan.packs.reduce((sum, pack) => sum + pack.bytes, plan.blobBytes);
  progress({ type: 'step', step, title: `Bringing ${name} level`, totalBytes });
  const onBytes = (bytes: number) => progress({ type: 'advance', step, bytes, totalBytes });
  try {
    const done = await execute({ survey: found, usage, pool, budget, options: callOptions, onBytes }, plan);
    progress({ type: 'done', step, outcome: 'done' });
    return done;
  } catch (error) {
    callOptions.signal?.throwIfAborted();
    const failure = asFailure(error, 'storage_unreachable');
    progress({ type: 'done', step, outcome: 'failed', message: failure.message });
    return failure;
  }
}

function whatRemains({ survey: found }: Run, plan: StoragePlan, done: Executed): Damage[] {
  const storage = plan.replica.name;
  const points: readonly Id[] = done.incomplete;
  const packs = done.hopeless.map((pack): Damage => {
    const key = objectKey('data', found.table.index.packId(pack));
    return { storage, key, what: 'damaged', detail: 'no storage has a good copy', points };
  });
  const flat = plan.hopelessFlat.map(({ kind, id }): Damage => {
    const hurt = kind === 'snapshots' ? [id] : [];
    return { storage, key: objectKey(kind, id), what: 'damaged', detail: 'no storage has a good copy', points: hurt };
  });
  const incomplete = points.map(
    (id): Damage => ({
      ...{ storage, key: objectKey('snapshots', id), what: 'incomplete', points: [id] },
      detail: 'something that this point needs has no good copy anywhere',
    }),
  );
  return [...packs, ...flat, ...incomplete];
}
