/**
 * Which archived WAL is still needed: from the start of the oldest kept base backup on, along every timeline that its recovery can follow.
 * Pure, for one storage at a time. What is not known to be unneeded is kept: a timeline without a history may descend from a kept base.
 */
import { type Lsn, segmentStart } from '../postgres/lsn.ts';
import type { StoredPiece } from './archive.ts';
import { ancestorsOf, type Histories } from './timelines.ts';

/** A kept base backup. */
export interface NeedyBase {
  readonly timeline: number;
  /** Its first byte of log. */
  readonly start: Lsn;
}

/** By timeline, the position from which on its log is needed; timelines that are not in it are not needed at all. */
export type Needs = ReadonlyMap<number, Lsn>;

/** `timelines`: all that anything is archived of. */
export function needsOf(
  bases: readonly NeedyBase[],
  histories: Histories,
  timelines: Iterable<number>,
  segmentSize: number,
): Needs {
  const needs = new Map<number, Lsn>();
  for (const timeline of new Set([...timelines, ...histories.keys(), ...bases.map((base) => base.timeline)])) {
    const from = bases.flatMap((base) => neededBy(base, histories, timeline) ?? []).sort((a, b) => (a < b ? -1 : 1))[0];
    if (from !== undefined) needs.set(timeline, segmentStart(from, segmentSize));
  }
  return needs;
}

/** Whether no base needs anything that ends at `end`. */
export function isUnneeded(needs: Needs, { timeline, end }: { readonly timeline: number; readonly end: Lsn }): boolean {
  const from = needs.get(timeline);
  return from === undefined || end <= from;
}

/** The loose pieces that the storage holds (bit) and no base needs. */
export function unneededPieces(pieces: readonly StoredPiece[], needs: Needs, bit: number): StoredPiece[] {
  return pieces.filter((stored) => !stored.folded && (stored.mask & bit) !== 0 && isUnneeded(needs, stored.piece));
}

/** Where recovery from the base enters a timeline; undefined when it never does. */
function neededBy(base: NeedyBase, histories: Histories, timeline: number): Lsn | undefined {
  if (timeline === base.timeline) return base.start;
  const ancestors = ancestorsOf(histories, timeline);
  if (ancestors === undefined) return timeline > base.timeline ? 0n : undefined;
  const left = ancestors.find((ancestor) => ancestor.timeline === base.timeline);
  if (left === undefined || left.end < base.start) return undefined;
  return ancestors.at(-1)!.end;
}
