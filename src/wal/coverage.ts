/**
 * What the archive covers, as a pure calculation over its listing: contiguous spans, the gaps between them, and how far one gets from a
 * base backup along a path of timelines.
 */
import type { Lsn } from '../postgres/lsn.ts';
import { firstFrom } from './archive/read-log.ts';
import type { StoredPiece, WalInventory } from './archive.ts';
import { type CommitRange, type CommitTime, MAX_PIECE_BYTES } from './piece.ts';
import type { PathStep } from './timelines.ts';

/** A run of log on one timeline without a hole. */
export interface CoveredSpan extends CommitRange {
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
  readonly segmentSize: number;
}

/** Log that the archive lacks, between two spans of a timeline. */
export interface Hole {
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
}

/** How far the log reaches from a position along a path. */
export interface Reach {
  /** The timeline on which it ends, and where. */
  readonly timeline: number;
  readonly end: Lsn;
  /** The path up to there. */
  readonly path: readonly PathStep[];
  /** Where the log goes on after a hole, on the same timeline; undefined when nothing later is archived there. */
  readonly resumes: Lsn | undefined;
}

const NO_COMMITS: CommitRange = { firstCommit: undefined, lastCommit: undefined };

type Held = Pick<WalInventory, 'pieces'>;

/** All contiguous spans, by timeline and start. `mask`: only what these storages hold. */
export function spans({ pieces }: Held, mask = 0xffff_ffff): CoveredSpan[] {
  return joinRuns(asSpans(pieces, mask));
}

/** The holes between the spans of each timeline. */
export function holes(all: readonly CoveredSpan[]): Hole[] {
  return all.flatMap((span, i) => {
    const next = all[i + 1];
    return next?.timeline === span.timeline ? [{ timeline: span.timeline, start: span.end, end: next.start }] : [];
  });
}

/** The span that holds the byte at `position`. */
export function spanAt(all: readonly CoveredSpan[], timeline: number, position: Lsn): CoveredSpan | undefined {
  return all.find((span) => span.timeline === timeline && span.start <= position && position < span.end);
}

/**
 * How far the log is whole along `path`, whose first step begins at the first byte that is needed. Undefined when not even that byte is
 * archived.
 */
export function reach(all: readonly CoveredSpan[], path: readonly PathStep[]): Reach | undefined {
  let found: Reach | undefined;
  for (const { timeline, start, end: left } of path) {
    if (left !== undefined && left === start && found !== undefined) continue; // left where it was entered: nothing of it is needed
    const span = spanAt(all, timeline, start);
    if (span === undefined) return found;
    const isWhole = left !== undefined && span.end >= left;
    const end = isWhole ? left : span.end;
    const resumes = isWhole ? undefined : all.find((later) => later.timeline === timeline && later.start > end)?.start;
    found = { timeline, end, path: [...(found?.path ?? []), { timeline, start, end }], resumes };
    if (!isWhole) return found;
  }
  return found;
}

/** The commits along a path whose every step has an end. */
export function commitsAlong(held: Held, path: readonly PathStep[]): CommitRange {
  return path.reduce<CommitRange>(
    (found, { timeline, start, end = start }) => mergeCommits(found, commitsBetween(held, timeline, start, end)),
    NO_COMMITS,
  );
}

/** The commits of the newest piece along such a path that has any: where the server's clock was set back, not the latest ones of all. */
export function newestCommits({ pieces }: Held, path: readonly PathStep[]): CommitRange {
  for (const { timeline, start, end = start } of path.toReversed()) {
    const within = pieces.filter(
      ({ piece }) =>
        piece.timeline === timeline && piece.end > start && piece.end <= end && piece.lastCommit !== undefined,
    );
    const [newest] = within.sort(({ piece: a }, { piece: b }) => compare(b.end, a.end) || compare(b.start, a.start));
    if (newest !== undefined) return newest.piece;
  }
  return NO_COMMITS;
}

/**
 * The commits that end between two positions of a timeline. A piece that begins before `from` counts by its latest commit alone, one that
 * ends after `to` does not count: which side its commits are on is not known.
 */
export function commitsBetween({ pieces }: Held, timeline: number, from: Lsn, to: Lsn): CommitRange {
  let found = NO_COMMITS;
  for (let i = firstFrom(pieces, timeline, from - BigInt(MAX_PIECE_BYTES)); i < pieces.length; i++) {
    const { piece } = pieces[i]!;
    if (piece.timeline !== timeline || piece.start >= to) break;
    if (piece.end <= from || piece.end > to) continue;
    const { firstCommit, lastCommit } = piece;
    found = mergeCommits(found, { firstCommit: piece.start < from ? lastCommit : firstCommit, lastCommit });
  }
  return found;
}

function* asSpans(pieces: readonly StoredPiece[], mask: number): Generator<CoveredSpan> {
  for (const stored of pieces) {
    if ((stored.mask & mask) === 0) continue;
    const { timeline, start, end, segmentSize, firstCommit, lastCommit } = stored.piece;
    yield { timeline, start, end, segmentSize, firstCommit, lastCommit };
  }
}

/** Joins what touches or overlaps; `runs` by timeline and start. */
function joinRuns(runs: Iterable<CoveredSpan>): CoveredSpan[] {
  const joined: CoveredSpan[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last === undefined || last.timeline !== run.timeline || last.end < run.start) joined.push(run);
    else joined[joined.length - 1] = { ...last, end: later(last.end, run.end), ...mergeCommits(last, run) };
  }
  return joined;
}

function mergeCommits(a: CommitRange | undefined, b: CommitRange): CommitRange {
  if (a?.firstCommit === undefined || a.lastCommit === undefined)
    return { firstCommit: b.firstCommit, lastCommit: b.lastCommit };
  if (b.firstCommit === undefined || b.lastCommit === undefined)
    return { firstCommit: a.firstCommit, lastCommit: a.lastCommit };
  const [firstCommit] = [a.firstCommit, b.firstCommit].sort(compare) as [CommitTime, CommitTime];
  return { firstCommit, lastCommit: later(a.lastCommit, b.lastCommit) };
}

function later(a: bigint, b: bigint): bigint {
  return b < a ? a : b;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
