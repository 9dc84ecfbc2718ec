/** Carries out the plan for one storage: key files, packs, indexes, points, each durable before the next. */
import type { ByteBudget } from '../../base/byte-budget.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { findAffected, type Lacks } from '../check/affected.ts';
import type { Usage } from '../check/usage.ts';
import type { VerifyPool } from '../check/verify-pool.ts';
import { type PackEntry, scanIndex } from '../format/index-file.ts';
import { objectKey } from '../keys.ts';
import { moveBlobs } from '../prune/move-blobs.ts';
import { packEntry, writeIndexes } from '../prune/write-index.ts';
import { inMask, type Replica } from '../replicas.ts';
import { copyMeta } from './copy-meta.ts';
import { type StoragePlan, wantedOn } from './plan.ts';
import { goodCopies, type Survey } from './survey.ts';
import { transferFlat, transferPacks } from './transfer.ts';

export interface Execution {
  readonly survey: Survey;
  readonly usage: Usage;
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  readonly options: CallOptions;
  /** Bytes stored on the target so far. */
  readonly onBytes: (bytes: number) => void;
}

export interface Executed {
  readonly packsCopied: number;
  readonly blobsMoved: number;
  readonly bytes: number;
  readonly pointsCopied: number;
  readonly flatReplaced: number;
  /** Points that this storage cannot hold whole, because no storage has a good copy of something in them. */
  readonly incomplete: readonly Id[];
  /** Packs that turned out to have no good copy anywhere. */
  readonly hopeless: readonly number[];
}

/** Packs made from moved blobs are closed at this size. */
const PACK_SIZE = 16 * 1024 * 1024;

export async function execute(execution: Execution, plan: StoragePlan): Promise<Executed> {
  const { survey, options, onBytes } = execution;
  const { replica } = plan;
  for (const id of plan.keyFiles) await copyFlat(survey, 'keys', id, replica, options);
  for (const id of plan.staleKeys) await replica.store.delete(objectKey('keys', id), options);
  let bytes = 0;
  const count = (more: number) => {
    bytes += more;
    onBytes(bytes);
  };
  const sources = (pack: number) => inMask(survey.repository.replicas, (survey.present[pack] as number) & ~replica.bit);
  const failed = await transferPacks({ ...execution, target: replica, sources, onBytes: count }, plan.packs);
  const moved = await moveBlobs(
    {
      ...execution,
      ...{ indexed: survey.indexed, table: survey.table, targets: [replica], packSize: PACK_SIZE, onBytes: count },
      sources: (pack) => inMask(survey.repository.replicas, survey.present[pack] as number),
    },
    plan.blobs,
  );
  const broken = new Set(failed);
  await writeMissingIndexes(survey, plan, broken, moved.packs, options);
  const lacking = [...moved.lost, ...failed.flatMap((pack) => [...survey.table.rows(pack)])];
  const incomplete = await findIncomplete(execution, replica, lacking);
  const points = plan.points.filter((id) => !incomplete.has(id));
  for (const id of points) await copyFlat(survey, 'snapshots', id, replica, options);
  await copyMeta(survey.repository.replicas, replica, options);
  return {
    packsCopied: plan.packs.length - failed.length,
    blobsMoved: plan.blobs.length - moved.lost.length,
    ...{ bytes, pointsCopied: points.length, incomplete: [...incomplete] },
    flatReplaced: plan.keyFiles.length + plan.indexFiles.length,
    hopeless: [...plan.hopeless, ...failed],
  };
}

async function copyFlat(
  survey: Survey,
  kind: 'keys' | 'index' | 'snapshots',
  id: Id,
  replica: Replica,
  options: CallOptions,
): Promise<void> {
  const object = survey.flat[kind].get(id);
  if (object === undefined) return;
  const sources = goodCopies(survey, object).filter(({ bit }) => bit !== replica.bit);
  await transferFlat(kind, id, sources, replica, options);
}

/** Damaged index files are replaced; packs in no index here come into one: copied where the storage has all it names, else written. */
async function writeMissingIndexes(
  survey: Survey,
  plan: StoragePlan,
  broken: ReadonlySet<number>,
  movedPacks: readonly PackEntry[],
  options: CallOptions,
): Promise<void> {
  const { replica } = plan;
  const { index } = survey.table;
  for (const id of plan.indexFiles) await copyFlat(survey, 'index', id, replica, options);
  const missing = new Set([...plan.toIndex].filter((pack) => !broken.has(pack)));
  const arrived = new Set(plan.packs.map(({ pack }) => pack).filter((pack) => !broken.has(pack)));
  const isHere = (pack: number) => arrived.has(pack) || ((survey.present[pack] as number) & replica.bit) !== 0;
  if (missing.size > 0) {
    for (const file of survey.flat.index.values()) {
      if (missing.size === 0 || (file.mask & replica.bit) !== 0 || goodCopies(survey, file).length === 0) continue;
      const packs = await packsOfIndex(survey, file.id);
      if (!packs.every((pack) => pack >= 0 && isHere(pack)) || !packs.some((pack) => missing.has(pack))) continue;
      await copyFlat(survey, 'index', file.id, replica, options);
      for (const pack of packs) missing.delete(pack);
    }
  }
  const entries = [...missing].map((pack) => packEntry({ index }, survey.table.rows(pack), pack));
  await writeIndexes((json) => survey.repository.sealUnpacked(json), replica, [...entries, ...movedPacks], options);
}

/** Numbers of the packs that an index file names. */
async function packsOfIndex({ repository, table: { index } }: Survey, id: Id): Promise<number[]> {
  const packs: number[] = [];
  scanIndex(Buffer.from(await repository.readUnpacked('index', id)), {
    pack: (packId) => packs.push(index.packNumber(packId)),
    blob: () => {},
  });
  return packs;
}

/** Points wanted here that need a blob of which there is no good copy. */
async function findIncomplete(
  { survey, usage, options }: Execution,
  replica: Replica,
  lackingRows: readonly number[],
): Promise<ReadonlySet<Id>> {
  const { index } = survey.table;
  const byRow = new Uint32Array(index.blobCount);
  for (const row of lackingRows) {
    const first = index.firstRow(index.isTree(row) ? 'tree' : 'data', index.blobId(row));
    if (((usage.needed[first] as number) & replica.bit) !== 0) byRow[first] = replica.bit;
  }
  const any = lackingRows.length > 0 || usage.unindexed.size > 0 || usage.badTrees.size > 0;
  const lacks: Lacks = { byRow, unindexed: usage.unindexed, any };
  const wanted = survey.list.snapshots.map((stored) => ({ ...stored, mask: wantedOn(survey, stored, [replica]) }));
  const affected = await findAffected(survey.indexed, wanted, lacks, options.signal);
  return new Set([...affected].filter(([, mask]) => (mask & replica.bit) !== 0).map(([id]) => id));
}
