/**
 * What a restore will do, before it does anything: which files are written where, what is fetched from which storage, what cannot be had.
 * The trees are walked once, as streams; what is kept of a file are its rows in the table that the restore then works on.
 */
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import { printable } from '../base/printable.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { inMask, maskOf } from '../repository/replicas.ts';
import { RestoreContent } from '../repository/restore-content.ts';
import { type RestoreColumns, RestoreTable, type RowMeta } from '../repository/restore-table.ts';
import { TreePlanner } from './plan/tree-planner.ts';
import type { Xattrs } from './plan/xattrs.ts';
import { type OpenedPoint, pickSources } from './point.ts';
import { PathPattern, startAt } from './selection.ts';

export interface PlanRequest {
  /** Empty: all. */
  readonly sources: readonly string[];
  /** Patterns relative to a source's root, or beginning with a source's name. Empty: everything. */
  readonly paths: readonly string[];
  /** Read from this storage only. */
  readonly storage?: string;
  readonly signal?: AbortSignal;
  /** Hears how many files and bytes were found so far. */
  readonly onProgress?: (files: number, bytes: number) => void;
}

export interface PlanTotals {
  readonly files: number;
  readonly directories: number;
  readonly symlinks: number;
  readonly hardLinks: number;
  /** Plain bytes of all files, hard links counted once. */
  readonly bytes: number;
  /** Sealed bytes to be fetched; what is used more than once is fetched once. */
  readonly fetchBytes: number;
  readonly packs: number;
  /** What the content takes on the target: holes of sparse files left out, as far as can be told beforehand. */
  readonly roomBytes: number;
}

/** Something of the point that will not be restored, and why. */
export interface PlanProblem {
  /** Relative to the target. */
  readonly path: string;
  readonly message: string;
  /** False for what is left out by design: pipes, sockets, devices. */
  readonly missing: boolean;
}

export interface RestorePlan {
  readonly point: Id;
  readonly app: string | undefined;
  /** Those that give something. */
  readonly sources: readonly string[];
  readonly totals: PlanTotals;
  /** From which storage how much, when all goes well. */
  readonly storages: readonly { readonly name: string; readonly bytes: number; readonly packs: number }[];
  readonly problems: readonly PlanProblem[];
  readonly problemCount: number;
  readonly columns: RestoreColumns;
  readonly xattrs: Xattrs;
  /** Rows of the sources' own directories. */
  readonly sourceRows: ReadonlyMap<string, number>;
  /** Sources of which some content is in no storage. */
  readonly incompleteSources: readonly string[];
  /** Files to be written when everything else is durable: `global/pg_control` of each database. */
  readonly lastFiles: Uint32Array;
  /** The storages that are read. */
  readonly mask: number;
  /** Patterns of the request that nothing matches; see `refuseUnmatched`. */
  readonly unmatched: readonly string[];
}

/** The target directory itself, while and after the restore. */
const TARGET_META: RowMeta = { mode: 0o711, uid: 0, gid: 0, mtimeNs: 0n };

/**
 * Throws `source_unknown`, `storage_unknown`, `target_unsafe` when the point holds names that could leave the target, `data_missing` or
 * `data_damaged` when a tree cannot be read.
 */
export async function planRestore(
  indexed: IndexedRepository,
  point: OpenedPoint,
  request: PlanRequest,
): Promise<RestorePlan> {
  const mask = storageMask(indexed, request.storage);
  const patterns = request.paths.map((path) => new PathPattern(path));
  const chosen = pickSources(point, request.sources);
  const table = new RestoreTable(TARGET_META, expectedRows(point, request));
  const content = new RestoreContent(indexed.index, mask);
  const planner = new TreePlanner({
    indexed,
    table,
    content,
    manifest: point.manifest,
    isOurs: point.app !== undefined,
    ...request,
  });
  const names = chosen.map(({ name }) => name.toString());
  const sources: string[] = [];
  for (const node of chosen) {
    const position = startAt(node.name, names, patterns);
    await planner.source(node, position);
    if (position.taken || planner.touched(node.name.toString())) sources.push(node.name.toString());
  }
  const columns = table.freeze();
  return {
    point: point.stored.id,
    app: point.app,
    sources,
    totals: { ...planner.totals, fetchBytes: content.fetchBytes, packs: content.shares().length },
    storages: byStorage(indexed, content, mask),
    problems: planner.problems,
    problemCount: planner.problemCount,
    columns,
    xattrs: planner.xattrs,
    sourceRows: planner.sourceRows,
    incompleteSources: [...planner.incompleteSources],
    lastFiles: Uint32Array.from(planner.lastFiles),
    mask,
    unmatched: patterns.filter(({ matched }) => !matched).map(({ text }) => text),
  };
}

/** As many rows as the backup counted, when all of it is wanted. */
function expectedRows({ stored }: OpenedPoint, { sources, paths }: PlanRequest): number {
  const { summary } = stored.snapshot;
  if (summary === undefined || sources.length > 0 || paths.length > 0) return 0;
  return summary.total_files_processed + summary.dirs_new + summary.dirs_changed + summary.dirs_unmodified + 16;
}

function storageMask({ repository }: IndexedRepository, name: string | undefined): number {
  if (name === undefined) return repository.all;
  const replica = repository.replica(name);
  if (replica !== undefined) return maskOf([replica]);
  const lost = repository.lost.find((storage) => storage.name === name);
  if (lost !== undefined) throw lost.failure;
  throw new Failure('storage_unknown', `There is no storage "${name}".`, {
    hint: `There is: ${repository.replicas.map((each) => each.name).join(', ')}.`,
  });
}

/** Throws `path_unknown` when a pattern matches nothing in any of the plans of one restore; `point` is the one it is looked up in. */
export function refuseUnmatched(plans: readonly RestorePlan[], point: Id): void {
  const [first, ...others] = plans;
  const nowhere = first?.unmatched.filter((text) => others.every(({ unmatched }) => unmatched.includes(text))) ?? [];
  if (nowhere.length === 0) return;
  const told = nowhere.map((text) => `"${printable(text)}"`).join(', ');
  throw new Failure('path_unknown', `Nothing in point ${shortId(point)} matches ${told}.`, {
    hint: `Look with "holdfast ls ${shortId(point)}" or "holdfast find NAME".`,
  });
}

function byStorage({ repository, index }: IndexedRepository, content: RestoreContent, mask: number) {
  const shares = new Map<string, { name: string; bytes: number; packs: number }>();
  for (const { pack, bytes } of content.shares()) {
    const name = inMask(repository.replicas, index.packMask(pack) & mask)[0]?.name ?? '';
    const share = shares.get(name) ?? { name, bytes: 0, packs: 0 };
    share.bytes += bytes;
    share.packs += 1;
    shares.set(name, share);
  }
  return [...shares.values()];
}
