/** Which loose segments are ready to be folded, and into which snapshots. Pure. */
import { earlierLsn, type Lsn, laterLsn, segmentStart } from '../../postgres/lsn.ts';
import type { StoredPiece } from '../archive.ts';
import { commitsBetween, spans } from '../coverage.ts';
import { type FoldedRun, MAX_FOLD_SEGMENTS } from '../fold-book.ts';
import type { CommitTime } from '../piece.ts';

/** Fewer segments than this wait, unless they wait for long. */
const WORTHWHILE = 64;

export interface FoldWish {
  /** Microseconds since the epoch: segments that were complete before are old. Undefined: every complete segment is. */
  readonly before: CommitTime | undefined;
  /** Segments that were complete before this have waited long enough, however few they are. */
  readonly longBefore: CommitTime | undefined;
}

/** The content of each snapshot to be made. */
export function planFolds(pieces: readonly StoredPiece[], { before, longBefore }: FoldWish): FoldedRun[][] {
  const ready = readySegments(pieces, before);
  const count = ready.reduce((sum, run) => sum + run.commits.length, 0);
  const isLong = before === undefined || readySegments(pieces, longBefore).length > 0;
  return count >= WORTHWHILE || isLong ? portions(ready) : [];
}

/** Whole segments that are loose and in no snapshot, older than `before`. */
function readySegments(pieces: readonly StoredPiece[], before: CommitTime | undefined): FoldedRun[] {
  const loose = pieces.filter(({ folded }) => !folded);
  const folded = spans({ pieces: pieces.filter((stored) => stored.folded) });
  const runs: FoldedRun[] = [];
  for (const { timeline, start, end, segmentSize } of spans({ pieces: loose })) {
    const size = BigInt(segmentSize);
    const limit = before === undefined ? end : earlierLsn(end, oldUntil(loose, timeline, before));
    for (let from = segmentStart(start + size - 1n, segmentSize); from + size <= limit; from += size) {
      const isFolded = folded.some(
        (span) => span.timeline === timeline && span.start <= from && span.end >= from + size,
      );
      if (isFolded) continue;
      const commits = commitsBetween({ pieces: loose }, timeline, from, from + size);
      const last = runs.at(-1);
      const isNext = last?.timeline === timeline && last.start + BigInt(last.commits.length) * size === from;
      if (isNext) (last.commits as (typeof commits)[]).push(commits);
      else runs.push({ timeline, start: from, segmentSize, commits: [commits] });
    }
  }
  return runs;
}

/** A commit after a segment proves that it was complete then. A later timeline's log comes after what it left behind. */
function oldUntil(pieces: readonly StoredPiece[], timeline: number, before: CommitTime): Lsn {
  let until = 0n;
  for (const { piece } of pieces)
    if (piece.timeline >= timeline && piece.firstCommit !== undefined && piece.firstCommit < before)
      until = laterLsn(until, piece.start);
  return until;
}

function portions(runs: readonly FoldedRun[]): FoldedRun[][] {
  const portions: FoldedRun[][] = [];
  let room = 0;
  for (const run of runs)
    for (let at = 0; at < run.commits.length; ) {
      if (room === 0) {
        portions.push([]);
        room = MAX_FOLD_SEGMENTS;
      }
      const commits = run.commits.slice(at, at + room);
      portions.at(-1)!.push({ ...run, start: run.start + BigInt(at) * BigInt(run.segmentSize), commits });
      at += commits.length;
      room -= commits.length;
    }
  return portions;
}
