/**
 * Checking the repository, storage by storage. It writes nothing and heals nothing: see `sync` for that.
 *
 *   structure  index files decode, packs are there with exactly the size the index gives them, every point loads, every tree of it is
 *              readable, every blob of it is indexed on that storage (always)
 *   hash       every object's bytes hash to its name (always; with a sample, of the packs only those of the sample)
 *   read       every blob is decrypted, decompressed and hashed, pack headers agree with the index (on request)
 *
 * A shared lock is enough, since nothing is removed: backups may run meanwhile. Points are listed before the index is read, so that all
 * they need is indexed by then.
 */
import { ByteBudget } from '../base/byte-budget.ts';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { CallOptions } from '../storage/object-store.ts';
import { findAffected, findLacks } from './check/affected.ts';
import { PackTable } from './check/pack-table.ts';
import { checkStorage, type StorageFaults, type StorageScope } from './check/storage-check.ts';
import { traceUsage, type Usage } from './check/usage.ts';
import { VerifyPool } from './check/verify-pool.ts';
import { CONFIG_KEY, objectKey } from './keys.ts';
import type { Damage } from './meta-damage.ts';
import { readRemovedKeys } from './meta-keys.ts';
import { inMask, type LostReplica, type Replica } from './replicas.ts';
import type { Repository } from './repository.ts';
import { listSnapshots, type SnapshotList } from './snapshots.ts';
import { lockEach } from './sync/lock-each.ts';
import { examineLost } from './sync/lost.ts';

export type CheckDepth =
  | { readonly kind: 'hash' }
  | { readonly kind: 'read' }
  /** Only packs drawn by `seed`, about `percent` of them; they are opened, too. */
  | { readonly kind: 'sample'; readonly percent: number; readonly seed: string }
  /** Only packs of these slices, of so many that all packs are divided into by their ids; they are opened, too. */
  | { readonly kind: 'slices'; readonly slices: ReadonlySet<number>; readonly of: number };

export interface CheckOptions {
  /** Names; all storages when left out. */
  readonly storages?: readonly string[];
  readonly depth: CheckDepth;
  /** The points whose trees are followed to what they need; all when left out. */
  readonly trace?: readonly Id[];
  readonly progress?: Progress;
}

export interface StorageCheck {
  readonly packs: number;
  /** Bytes of all packs, and of those that were read. */
  readonly bytes: number;
  readonly bytesRead: number;
  /** Packs that no index names: left by an interrupted run, freed by the next prune. */
  readonly unindexedPacks: number;
  /** Points that were found whole. */
  readonly soundPoints: readonly Id[];
}

export interface CheckReport {
  readonly depth: CheckDepth;
  readonly findings: readonly Damage[];
  /** What was checked, by storage name. */
  readonly storages: ReadonlyMap<string, StorageCheck>;
  /** Storages that could not be checked. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Points on all storages. */
  readonly points: ReadonlySet<Id>;
}

/** Memory for packs on their way to the verifying workers. */
const PACK_MEMORY = 128 * 1024 * 1024;

/** Throws only when no storage at all can be checked, or `storage_unknown`. */
export async function checkRepository(opened: Repository, options: CheckOptions): Promise<CheckReport> {
  const { depth, progress = silent } = options;
  assertKnown(opened, options.storages);
  const isChosen = (name: string) => options.storages === undefined || options.storages.includes(name);
  const lost = await reportLost(opened, isChosen);
  const { repository, locks, failures } = await lockEach(opened, { exclusive: false, readOnly: true });
  await using held = locks;
  void held;
  const { callOptions } = repository;
  const ground = await prepare(repository, callOptions, progress, options.trace);
  const storageFailures = new Map([...lost.failures, ...[...failures].filter(([name]) => isChosen(name))]);
  const found: StorageFaults[] = [];
  await using pool = new VerifyPool(repository.masterKey);
  const scope: StorageScope = { ...ground, repository, depth, pool, budget: new ByteBudget(PACK_MEMORY), progress };
  await Promise.all(
    repository.replicas
      .filter(({ name }) => isChosen(name))
      .map(async (replica) => {
        const outcome = await checkStorage(scope, replica);
        if (outcome instanceof Failure) storageFailures.set(replica.name, outcome);
        else found.push(outcome);
      }),
  );
  const affected = await findAffectedPoints(ground, found, repository);
  return summarise(options, ground, found, affected, { findings: lost.findings, failures: storageFailures });
}

/** What all storages are held against. */
interface Ground {
  readonly list: SnapshotList;
  /** Points and index files of which no storage gives a copy that makes sense, by key. */
  readonly malformed: ReadonlyMap<string, Failure>;
  readonly table: PackTable;
  readonly usage: Usage;
  readonly indexed: Awaited<ReturnType<Repository['loadIndex']>>;
  readonly keyFiles: ReadonlyMap<Id, number>;
  readonly removedKeys: ReadonlySet<Id>;
  readonly snapshotFiles: ReadonlyMap<Id, number>;
  readonly options: CallOptions;
}

async function prepare(
  repository: Repository,
  options: CallOptions,
  progress: Progress,
  trace: readonly Id[] | undefined,
): Promise<Ground> {
  progress({ type: 'step', step: 'structure', title: 'Reading points, indexes and trees' });
  const keyFiles = await repository.presence('keys');
  const removedKeys = await readRemovedKeys(repository);
  const list = await listSnapshots(repository);
  const snapshotFiles = new Map([...list.snapshots, ...list.damaged].map(({ id, mask }) => [id, mask]));
  const indexed = await repository.loadIndex();
  const traced = list.snapshots.filter(({ id }) => trace === undefined || trace.includes(id));
  const roots = traced.map(({ snapshot: { tree }, mask }) => ({ tree, mask }));
  const usage = await traceUsage(indexed, roots, {
    ...options,
    onTrees: (items) => progress({ type: 'advance', step: 'structure', items }),
  });
  progress({ type: 'done', step: 'structure', outcome: 'done' });
  const malformed = new Map([
    ...list.damaged.map(({ id, failure }) => [objectKey('snapshots', id), failure] as const),
    ...indexed.damagedIndexes.map(({ id, failure }) => [objectKey('index', id), failure] as const),
  ]);
  const table = new PackTable(indexed.index);
  return { list, malformed, table, usage, indexed, keyFiles, removedKeys, snapshotFiles, options };
}

async function findAffectedPoints(
  { indexed, usage, list }: Ground,
  found: readonly StorageFaults[],
  repository: Repository,
): Promise<ReadonlyMap<Id, number>> {
  const badPacks = new Map<number, number>();
  for (const { replica, packFaults } of found)
    for (const pack of packFaults.keys()) badPacks.set(pack, (badPacks.get(pack) ?? 0) | replica.bit);
  const goodMask = (pack: number) => indexed.index.packMask(pack) & ~(badPacks.get(pack) ?? 0);
  const lacks = findLacks(indexed.index, usage, goodMask);
  return findAffected(indexed, list.snapshots, lacks, repository.settings.signal);
}

function summarise(
  { depth }: CheckOptions,
  { list, snapshotFiles }: Ground,
  found: readonly StorageFaults[],
  affected: ReadonlyMap<Id, number>,
  lost: { readonly findings: readonly Damage[]; readonly failures: ReadonlyMap<string, Failure> },
): CheckReport {
  const findings = [...lost.findings];
  const storages = new Map<string, StorageCheck>();
  for (const { replica, faults, packFaults, check } of found) {
    const hurt = [...affected].flatMap(([id, mask]) => ((mask & replica.bit) !== 0 ? [id] : []));
    const about = { storage: replica.name };
    for (const fault of faults) findings.push({ ...about, ...fault, points: pointOf(fault.key) });
    for (const fault of packFaults.values()) findings.push({ ...about, ...fault, points: hurt });
    findings.push(...incomplete(replica, hurt));
    const bad = new Set([...hurt, ...faults.flatMap(({ key }) => pointOf(key))]);
    const sound = inMaskIds(list, replica).filter((id) => !bad.has(id));
    storages.set(replica.name, { ...check, soundPoints: sound });
  }
  return { depth, findings, storages, failures: lost.failures, points: new Set(snapshotFiles.keys()) };
}

function inMaskIds({ snapshots }: SnapshotList, replica: Replica): Id[] {
  return snapshots.filter(({ mask }) => inMask([replica], mask).length > 0).map(({ id }) => id);
}

/** A damaged snapshot object hurts the point it is. */
function pointOf(key: string): Id[] {
  return key.startsWith('snapshots/') ? [key.slice('snapshots/'.length) as Id] : [];
}

function incomplete({ name }: Replica, points: readonly Id[]): Damage[] {
  return points.map((id) => ({
    storage: name,
    key: objectKey('snapshots', id),
    what: 'incomplete',
    detail: 'this storage lacks good copies of some of the blobs of this point',
    points: [id],
  }));
}

async function reportLost(repository: Repository, isChosen: (name: string) => boolean) {
  const findings: Damage[] = [];
  const failures = new Map<string, Failure>();
  for (const lost of repository.lost.filter(({ name }) => isChosen(name))) {
    const state = await examineLost(repository, lost);
    const about = { storage: lost.name, key: CONFIG_KEY, points: [] };
    if (state === 'wiped')
      findings.push({ ...about, what: 'missing', detail: `${whatIsThere(lost)}: wiped, or not mounted` });
    else if (state === 'headless') findings.push({ ...about, what: 'damaged', detail: 'is missing or damaged' });
    else failures.set(lost.name, lost.failure);
  }
  return { findings, failures };
}

function whatIsThere({ failure }: LostReplica): string {
  return failure.code === 'storage_missing' ? 'the place of the storage is not there' : 'the storage is empty';
}

/** Throws `storage_unknown` for a name that the configuration does not have. */
export function assertKnown(repository: Repository, names: readonly string[] | undefined): void {
  const known = [...repository.replicas, ...repository.lost].map(({ name }) => name);
  for (const name of names ?? []) {
    if (known.includes(name)) continue;
    throw new Failure('storage_unknown', `There is no storage "${name}".`, { hint: `Known are: ${known.join(', ')}.` });
  }
}

export { isRead } from './check/storage-check.ts';
