/** The spans of time any moment of which can be restored: from the end of a base backup as far as the archived log is whole. Pure. */
import { isFailure } from '../../base/failure.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import type { WalInventory } from '../../wal/archive.ts';
import {
  type CoveredSpan,
  commitsAlong,
  holes,
  newestCommits,
  type Reach,
  reach,
  spanAt,
  spans,
} from '../../wal/coverage.ts';
import type { RecordedGap } from '../../wal/gaps.ts';
import type { CommitRange } from '../../wal/piece.ts';
import { type Histories, type PathStep, timelinePath } from '../../wal/timelines.ts';
import type { Base } from './bases.ts';

export interface Window {
  /** The earliest base backup it begins with. */
  readonly base: Base;
  /** How many base backups lead into it. */
  readonly bases: number;
  /** The latest commit in it, in microseconds since the epoch; undefined when the log after the base holds none. */
  readonly lastCommit: bigint | undefined;
  /** Those of its newest piece with commits, by their own times. */
  readonly newest: CommitRange;
  /** The timeline on which it ends, and where. */
  readonly timeline: number;
  readonly end: Lsn;
}

export interface Gap {
  readonly timeline: number;
  readonly start: Lsn;
  /** Undefined while the log has not gone on. */
  readonly end: Lsn | undefined;
  /** What is on record about it. */
  readonly record: RecordedGap | undefined;
  /** The first base backup after it: from there on moments can be restored again. Undefined while there is none. */
  readonly next: Base | undefined;
}

/** Oldest first. */
export function windowsOf(bases: readonly Base[], inventory: WalInventory, histories: Histories): Window[] {
  const all = spans(inventory);
  const timelines = new Set([...all.map(({ timeline }) => timeline), ...histories.keys()]);
  const ends = new Map<string, { base: Base; bases: Set<Base>; reached: Reach }>();
  for (const base of bases)
    for (const timeline of timelines) {
      const reached = reachFrom(base, timeline, all, histories);
      if (reached === undefined) continue;
      const key = `${reached.timeline} ${reached.end}`;
      const known = ends.get(key);
      if (known === undefined) ends.set(key, { base, bases: new Set([base]), reached });
      else {
        known.bases.add(base);
        if (base.time < known.base.time) ends.set(key, { ...known, base, reached });
      }
    }
  const found = [...ends.values()].filter(
    ({ reached }) => ![...ends.values()].some((other) => passes(other.reached, reached)),
  );
  return found
    .map(({ base, bases: { size }, reached: { timeline, end, path } }) => {
      const { lastCommit } = commitsAlong(inventory, path);
      return { base, bases: size, timeline, end, lastCommit, newest: newestCommits(inventory, path) };
    })
    .sort((a, b) => a.base.time - b.base.time || a.timeline - b.timeline);
}

/** What is missing between what is archived, with the reasons on record; recorded gaps that nothing filled since, too. */
export function gapsOf(inventory: WalInventory, recorded: readonly RecordedGap[], bases: readonly Base[]): Gap[] {
  const all = spans(inventory);
  const seen = holes(all);
  const found: Omit<Gap, 'next'>[] = seen.map((hole) => ({
    ...hole,
    record: recorded.find((gap) => overlaps(gap, hole)),
  }));
  for (const gap of recorded) {
    const isSeen = seen.some((hole) => overlaps(gap, hole));
    if (!isSeen && spanAt(all, gap.timeline, gap.start) === undefined) found.push({ ...gap, record: gap });
  }
  return found
    .sort((a, b) => a.timeline - b.timeline || (a.start < b.start ? -1 : 1))
    .map((gap) => ({ ...gap, next: bases.find((base) => follows(base, gap)) }));
}

/** Whether the base needs none of what the gap lacks: it holds the log up to its end itself. */
export function follows({ timeline, stop }: Base, gap: Pick<Gap, 'timeline' | 'end'>): boolean {
  return timeline > gap.timeline || (timeline === gap.timeline && gap.end !== undefined && stop >= gap.end);
}

/** The base holds the log up to its end itself; from there on the archive must have it. */
function reachFrom(base: Base, timeline: number, all: readonly CoveredSpan[], histories: Histories): Reach | undefined {
  const from = spanAt(all, base.timeline, base.stop) === undefined ? base.stop - 1n : base.stop;
  try {
    return reach(all, pathFrom(histories, base, from, timeline));
  } catch (error) {
    if (isFailure(error, 'moment_unreachable')) return undefined;
    throw error;
  }
}

function pathFrom(histories: Histories, base: Base, from: Lsn, timeline: number): PathStep[] {
  return timelinePath(histories, base.timeline, from, timeline);
}

/** Whether `longer` goes on where `ended` ends. */
function passes({ path }: Reach, ended: Reach): boolean {
  return path.slice(0, -1).some(({ timeline, end }) => timeline === ended.timeline && end === ended.end);
}

function overlaps(
  gap: { timeline: number; start: Lsn; end: Lsn | undefined },
  hole: { timeline: number; start: Lsn; end: Lsn },
) {
  return gap.timeline === hole.timeline && gap.start < hole.end && (gap.end === undefined || gap.end > hole.start);
}
