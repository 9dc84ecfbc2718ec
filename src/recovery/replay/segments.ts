/** The files that a recovery asks for: segments by the names PostgreSQL gives them, made of whatever parts of the log hold their bytes. */
import type { FileHandle } from 'node:fs/promises';
import { earlierLsn, type Lsn, laterLsn, segmentName, segmentStart } from '../../postgres/lsn.ts';
import { ancestorsOf, historyFileName, writeHistory } from '../../wal/timelines.ts';
import type { LogPart } from '../moment/line.ts';
import type { MomentPlan, PlannedLog } from '../moment.ts';

export interface PlannedSegment {
  readonly name: string;
  readonly start: Lsn;
  readonly parts: readonly LogPart[];
}

/**
 * In the order of the log. A segment in which the timeline changed is asked for under the number of the newest timeline that begins in it, and
 * holds what came before the change, too.
 */
export function segmentsOf({ log, timeline }: MomentPlan): readonly PlannedSegment[] {
  const { parts, line } = log;
  const { segmentSize } = line;
  const [first, last] = [parts[0], parts.at(-1)];
  if (first === undefined || last === undefined) return [];
  const path = line.path.slice(0, line.path.findIndex((step) => step.timeline === timeline) + 1);
  const segments: PlannedSegment[] = [];
  for (let start = segmentStart(first.start, segmentSize); start < last.end; start += BigInt(segmentSize)) {
    const end = start + BigInt(segmentSize);
    const owner = path.findLast((step) => segmentStart(step.start, segmentSize) <= start)!;
    segments.push({
      name: segmentName(owner.timeline, start, segmentSize),
      start,
      parts: parts.filter((part) => part.start < end && part.end > start),
    });
  }
  return segments;
}

/** Writes a segment into an empty file: what the log does not have after its end is zero, as PostgreSQL leaves it. */
export async function writeSegment(
  { archive, inventory, line }: PlannedLog,
  segment: PlannedSegment,
  file: FileHandle,
): Promise<void> {
  await file.truncate(line.segmentSize);
  const end = segment.start + BigInt(line.segmentSize);
  for (const part of segment.parts) {
    const from = laterLsn(part.start, segment.start);
    const to = earlierLsn(part.end, end);
    for await (const run of archive.read(part.timeline, from, to, inventory)) {
      await file.write(run.bytes, 0, run.bytes.length, Number(run.start - segment.start));
    }
  }
}

/**
 * The history files of all timelines up to the newest that is known, by name. PostgreSQL looks upward from the one it recovers to and takes
 * the first number without a file for the copy's own: where one in the middle is lost, another is put in its place.
 */
export async function historyFiles({ archive, inventory, histories, line }: PlannedLog): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const known = [line.timeline, ...inventory.pieces.slice(-1).map(({ piece }) => piece.timeline), ...histories.keys()];
  for (let timeline = 2; timeline <= Math.min(Math.max(...known), MAX_TIMELINES); timeline++) {
    const own = histories.has(timeline) ? await archive.history(timeline, inventory) : undefined;
    files.set(historyFileName(timeline), own ?? writeHistory(ancestorsOf(histories, timeline) ?? []));
  }
  return files;
}

/** A cluster with more is not served history files beyond. */
const MAX_TIMELINES = 10_000;
