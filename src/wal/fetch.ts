/**
 * What to answer when PostgreSQL asks for a file of the archive during recovery. "There is none" ends the recovery: the server takes it for
 * the end of the log and opens for business. So it is said only when every storage answered and nothing of the log lies beyond; a hole, a
 * silent storage or a lost history is a Failure instead.
 */
import { Failure } from '../base/failure.ts';
import { formatLsn, type Lsn } from '../postgres/lsn.ts';
import type { WalArchive, WalInventory } from './archive.ts';
import { type CoveredSpan, spanAt, spans } from './coverage.ts';
import { type LogFileName, logRange, segmentPosition } from './log-file.ts';
import { ancestorsOf, type Histories, historyFileName, writeHistory } from './timelines.ts';

export type SegmentName = Extract<LogFileName, { kind: 'segment' | 'partial' }>;

/** A run of log of one timeline. */
export interface Stretch {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn;
}

export type SegmentAnswer =
  | {
      readonly kind: 'found';
      readonly inventory: WalInventory;
      readonly segmentSize: number;
      /** To be written one after the other; zeros fill the rest of the segment. */
      readonly stretches: readonly Stretch[];
      /** Whether the whole segment is archived, so that it never changes any more. */
      readonly whole: boolean;
    }
  | { readonly kind: 'absent' };

export type HistoryAnswer =
  | { readonly kind: 'found'; readonly bytes: Buffer; readonly note?: string }
  | { readonly kind: 'absent' };

/** Throws `moment_unreachable` for a hole, `storages_failed` when a storage that does not answer might have more. */
export async function findSegment(archive: WalArchive, name: SegmentName): Promise<SegmentAnswer> {
  const near = await archive.list({ timeline: name.timeline, ...logRange(name.place) });
  return wholeSegment(near, name) ?? judgeSegment(archive, name, await archive.list());
}

/** The answer where the whole segment is there; nothing else has to be known then. */
export function wholeSegment(inventory: WalInventory, name: SegmentName): SegmentAnswer | undefined {
  const all = spans(inventory);
  const segmentSize = all.find(({ timeline }) => timeline === name.timeline)?.segmentSize;
  const from = segmentSize && segmentPosition(name.place, segmentSize);
  if (segmentSize === undefined || from === undefined) return undefined;
  const to = (from as Lsn) + BigInt(segmentSize);
  const span = spanAt(all, name.timeline, from as Lsn);
  if (span === undefined || span.end < to) return undefined;
  const stretches = [{ timeline: name.timeline, from: from as Lsn, to }];
  return { kind: 'found', inventory, segmentSize, stretches, whole: true };
}

async function judgeSegment(archive: WalArchive, name: SegmentName, inventory: WalInventory): Promise<SegmentAnswer> {
  const whole = wholeSegment(inventory, name);
  if (whole !== undefined) return whole;
  const all = spans(inventory);
  const segmentSize = all[0]?.segmentSize;
  if (segmentSize === undefined) throw nothingArchived(archive);
  const from = segmentPosition(name.place, segmentSize);
  if (from === undefined) throw new Failure('usage', `${name.name} is no segment of ${segmentSize} bytes.`);
  const histories = await archive.histories(inventory, true);
  const stretches = heldOf(all, histories, name.timeline, from, from + BigInt(segmentSize));
  const end = stretches.at(-1)?.to ?? from;
  if (stretches.length === 0 && isBefore(histories, name.timeline, from + BigInt(segmentSize)))
    return { kind: 'absent' };
  const known = knownEnd(all, histories, name.timeline);
  if (end < from + BigInt(segmentSize) && known > end) throw hole(name, end, known);
  assertAllAnswered(inventory, name.name);
  const isWhole = end === from + BigInt(segmentSize);
  return stretches.length === 0
    ? { kind: 'absent' }
    : { kind: 'found', inventory, segmentSize, stretches, whole: isWhole };
}

/**
 * What is there of [from, to) without a hole. Where a later timeline left this one, its first segment holds the same bytes up to the switch:
 * they stand in for what this timeline lacks.
 */
function heldOf(all: readonly CoveredSpan[], histories: Histories, timeline: number, from: Lsn, to: Lsn): Stretch[] {
  const stretches: Stretch[] = [];
  const sources = [
    { timeline, until: to },
    ...switches(histories, timeline).map(({ child, at }) => ({ timeline: child, until: at })),
  ];
  for (let position = from; position < to; ) {
    const ends = sources.map((source) => {
      const end = spanAt(all, source.timeline, position)?.end ?? position;
      return { timeline: source.timeline, end: least(end, source.until, to) };
    });
    const farthest = ends.reduce((best, source) => (source.end > best.end ? source : best));
    if (farthest.end <= position) break;
    stretches.push({ timeline: farthest.timeline, from: position, to: farthest.end });
    position = farthest.end;
  }
  return stretches;
}

/** How far the log of a timeline is known to have reached: where it is archived, or was left by a later timeline. */
function knownEnd(all: readonly CoveredSpan[], histories: Histories, timeline: number): Lsn {
  const ends = all.filter((span) => span.timeline === timeline).map(({ end }) => end);
  const known = [0n, ...ends, ...switches(histories, timeline).map(({ at }) => at)];
  return known.sort((a, b) => (a > b ? -1 : 1))[0]!;
}

function switches(histories: Histories, timeline: number): { readonly child: number; readonly at: Lsn }[] {
  return [...histories].flatMap(([child, ancestors]) => {
    const parent = ancestors.at(-1);
    return parent?.timeline === timeline ? [{ child, at: parent.end }] : [];
  });
}

/** Whether the log up to `end` was written before the timeline began: it is in its ancestors, and rightly not here. */
function isBefore(histories: Histories, timeline: number, end: Lsn): boolean {
  const parent = ancestorsOf(histories, timeline)?.at(-1);
  return parent !== undefined && end <= parent.end;
}

/**
 * The history file of a timeline. Servers look for 2, 3, 4 … and stop at the first that is missing, so a lost one in the middle would
 * hide all that is later. It is told from the history of a descendant; a number that no timeline of this archive ever had gets a file without
 * ancestors when there are later ones.
 */
export async function findHistory(archive: WalArchive, timeline: number): Promise<HistoryAnswer> {
  const own = await archive.history(timeline, await archive.list('histories'));
  if (own !== undefined) return { kind: 'found', bytes: own };
  const inventory = await archive.list();
  const histories = await archive.histories(inventory, true);
  const name = historyFileName(timeline);
  const derived = ancestorsOf(histories, timeline);
  if (derived !== undefined && timeline > 1) {
    return {
      kind: 'found',
      bytes: writeHistory(derived),
      note: `${name} is lost; it was told from the history of a later timeline.`,
    };
  }
  const archived = new Set(spans(inventory).map((span) => span.timeline));
  if (timeline > 1 && archived.has(timeline)) throw lostHistory(timeline);
  assertAllAnswered(inventory, name);
  const isHidingLater = timeline > 1 && [...archived, ...histories.keys()].some((other) => other > timeline);
  if (!isHidingLater) return { kind: 'absent' };
  const text = `# There is no timeline ${timeline}; later ones follow.\n`;
  return {
    kind: 'found',
    bytes: Buffer.from(text),
    note: `There is no timeline ${timeline}, but later ones are archived.`,
  };
}

function assertAllAnswered({ silent }: WalInventory, name: string): void {
  if (silent.size === 0) return;
  const words = [...silent.values()].map(({ message }) => message).join(' ');
  throw new Failure(
    'storages_failed',
    `${name}: the end of the log is not proved while a storage does not answer. ${words}`,
    {
      hint: 'Mend the storage, or take it out of the configuration for this recovery.',
    },
  );
}

function hole({ name }: SegmentName, end: Lsn, known: Lsn): Failure {
  return new Failure(
    'moment_unreachable',
    `${name}: the archive has a hole at ${formatLsn(end)}; the log goes on to ${formatLsn(known)}.`,
    { hint: `To end before the hole, set recovery_target_lsn = '${formatLsn(end)}'; see "holdfast wal status".` },
  );
}

function lostHistory(timeline: number): Failure {
  return new Failure(
    'moment_unreachable',
    `WAL of timeline ${timeline} is archived, and its history is in no storage.`,
    {
      hint: `Find ${historyFileName(timeline)} on a server (pg_wal) and archive it with "holdfast wal push".`,
    },
  );
}

function nothingArchived({ systemIdentifier }: WalArchive): Failure {
  return new Failure('moment_unreachable', `No WAL of the cluster ${systemIdentifier} is archived.`, {
    hint: 'Is this the right configuration for this data directory?',
  });
}

function least(...positions: readonly Lsn[]): Lsn {
  return [...positions].sort((a, b) => (a < b ? -1 : 1))[0]!;
}
