/**
 * The log of a cluster as one line: the path of timelines that leads to the chosen one, cut into stretches without a hole. What lies on
 * timelines beside the path, or after the point where the path left one, is not on the line. Pure calculation over the archive's listing.
 */
import { Failure } from '../../base/failure.ts';
import { earlierLsn, type Lsn, laterLsn, segmentStart } from '../../postgres/lsn.ts';
import type { StoredPiece, WalInventory } from '../../wal/archive.ts';
import { type CoveredSpan, spans } from '../../wal/coverage.ts';
import { ancestorsOf, type Histories, historyFileName, type PathStep } from '../../wal/timelines.ts';

/** Where the bytes of a part of the log are to be read. */
export interface LogPart {
  /** Of the pieces; the successor's segment also holds what was before the switch. */
  readonly timeline: number;
  readonly start: Lsn;
  readonly end: Lsn;
}

export interface Stretch {
  readonly start: Lsn;
  readonly end: Lsn;
  readonly parts: readonly LogPart[];
}

export interface LogLine {
  /** The timeline it ends on. */
  readonly timeline: number;
  /** From the first timeline to this one. */
  readonly path: readonly PathStep[];
  /** In the order of the log. */
  readonly stretches: readonly Stretch[];
  /** Of the cluster, in bytes. */
  readonly segmentSize: number;
}

/** The newest timeline that anything is known of. */
export function newestTimeline({ pieces, histories }: WalInventory): number {
  const archived = [...pieces.slice(-1).map(({ piece }) => piece), ...histories.map(({ history }) => history)];
  return archived.reduce((newest, { timeline }) => Math.max(newest, timeline), 1);
}

/** The line that ends on `timeline`. Throws `moment_unreachable` when no history file tells how one gets there. */
export function lineTo(inventory: WalInventory, histories: Histories, timeline: number): LogLine {
  const path = pathTo(histories, timeline);
  const all = spans(inventory);
  const segmentSize = all[0]?.segmentSize ?? 16 * 1024 * 1024;
  const parts = path.flatMap((step, i) => coverStep(step, all, path.slice(i + 1), segmentSize));
  return { timeline, path, stretches: joinParts(parts), segmentSize };
}

/** The stretch that holds the byte at `position`. */
export function stretchAt({ stretches }: LogLine, position: Lsn): Stretch | undefined {
  return stretches.find(({ start, end }) => start <= position && position < end);
}

/** The step of the path on which `position` lies. */
export function stepAt({ path }: LogLine, position: Lsn): PathStep {
  return path.find(({ end }) => end === undefined || position < end) ?? path.at(-1)!;
}

/** The pieces that hold bytes of the stretch, in the order of the log; where a piece ends outside, so does what its name says. */
export function* piecesOf({ parts }: Stretch, { pieces }: WalInventory): Generator<StoredPiece> {
  for (const part of parts) {
    for (const stored of pieces) {
      const { timeline, start, end } = stored.piece;
      if (timeline === part.timeline && start < part.end && end > part.start) yield stored;
    }
  }
}

function pathTo(histories: Histories, timeline: number): PathStep[] {
  const ancestors = ancestorsOf(histories, timeline);
  if (ancestors === undefined) {
    throw new Failure(
      'moment_unreachable',
      `The history of timeline ${timeline} (${historyFileName(timeline)}) is in no storage: nobody can tell how one gets there.`,
      { hint: `Copy the file from the server (pg_wal) with "holdfast wal push", or choose another with --timeline.` },
    );
  }
  const ends = ancestors.map(({ end }) => end);
  const starts = [0n, ...ends];
  const steps = ancestors.map(({ timeline: each, end }, i) => ({ timeline: each, start: starts[i]!, end }));
  return [...steps, { timeline, start: starts.at(-1)!, end: undefined }];
}

/** What covers a step: its own pieces, and those of its successors for the segment in which it was left. */
function coverStep(
  step: PathStep,
  all: readonly CoveredSpan[],
  successors: readonly PathStep[],
  segmentSize: number,
): LogPart[] {
  const from = (timeline: number, start: Lsn) =>
    all.flatMap((span) => (span.timeline === timeline ? clipped(span, start, step.end) : []));
  const own = from(step.timeline, step.start);
  if (step.end === undefined) return own;
  const shared = laterLsn(segmentStart(step.end, segmentSize), step.start);
  const others = successors.flatMap(({ timeline }) => from(timeline, shared));
  return filled(own, others);
}

function clipped(span: CoveredSpan, start: Lsn, end: Lsn | undefined): LogPart[] {
  const part = {
    timeline: span.timeline,
    start: laterLsn(span.start, start),
    end: end === undefined ? span.end : earlierLsn(span.end, end),
  };
  return part.start < part.end ? [part] : [];
}

/** `own`, and what `others` have where it has nothing. */
function filled(own: readonly LogPart[], others: readonly LogPart[]): LogPart[] {
  const parts = [...own];
  for (const other of others) {
    let rest: LogPart[] = [other];
    for (const part of parts) rest = rest.flatMap((each) => without(each, part));
    parts.push(...rest);
  }
  return parts.sort((a, b) => (a.start < b.start ? -1 : 1));
}

function without(part: LogPart, { start, end }: LogPart): LogPart[] {
  const before = { ...part, end: earlierLsn(part.end, start) };
  const after = { ...part, start: laterLsn(part.start, end) };
  if (part.end <= start || part.start >= end) return [part];
  return [before, after].filter((each) => each.start < each.end);
}

function joinParts(parts: readonly LogPart[]): Stretch[] {
  const stretches: { start: Lsn; end: Lsn; parts: LogPart[] }[] = [];
  for (const part of parts) {
    const last = stretches.at(-1);
    if (last?.end === part.start) {
      last.parts.push(part);
      last.end = part.end;
    } else stretches.push({ start: part.start, end: part.end, parts: [part] });
  }
  return stretches;
}
