/**
 * The book of gaps: stretches of log that the archive lacks, with the reason, as whoever noticed it wrote it down. What the archive holds
 * is told by its listing alone; the book only says why something is not there.
 */
import type { Lsn } from '../postgres/lsn.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from '../repository/meta.ts';
import type { Repository } from '../repository/repository.ts';

/**
 * `slot_missing`: the server had no slot, and no longer the WAL; `slot_lost`: the server invalidated it; `slot_given_up`: we did, to save
 * the server's disk; `started_late`: archiving began after a base backup; `spool_lost`: received, and lost before a storage had it.
 */
export const GAP_REASONS = [
  'slot_missing',
  'slot_lost',
  'slot_given_up',
  'started_late',
  'spool_lost',
  'other',
] as const;
export type GapReason = (typeof GAP_REASONS)[number];

export interface WalGap {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** The first byte that is missing. */
  readonly start: Lsn;
  /** The first byte after it that is there; undefined while nobody knows. */
  readonly end: Lsn | undefined;
  readonly reason: GapReason;
  /** For people: what happened. */
  readonly detail: string;
}

export interface RecordedGap extends WalGap, MetaEntry {}

/** The book keeps this many of the newest gaps. */
const MAX_RECORDS = 10_000;
const MAX_DETAIL = 1000;
const POSITION = /^[0-9a-f]{16}$/;

interface GapEntry extends MetaEntry {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly start: string;
  readonly end: string | null;
  readonly reason: GapReason;
  readonly detail: string;
}

const GAPS: MetaBook<GapEntry> = { kind: 'wal-gaps', parse: parseGap };

function parseGap(value: Readonly<Record<string, unknown>>): GapEntry | undefined {
  const { time, systemIdentifier, timeline, start, end, reason, detail } = value;
  const known = GAP_REASONS.find((one) => one === reason);
  if (typeof systemIdentifier !== 'string' || !/^\d{1,20}$/.test(systemIdentifier)) return undefined;
  if (!Number.isSafeInteger(timeline) || (timeline as number) < 1 || typeof detail !== 'string') return undefined;
  if (typeof start !== 'string' || !POSITION.test(start) || known === undefined) return undefined;
  if (end !== null && (typeof end !== 'string' || !POSITION.test(end) || end <= start)) return undefined;
  return { time: time as number, systemIdentifier, timeline: timeline as number, start, end, reason: known, detail };
}

/** Every gap on record of a cluster, in the order of the log. */
export async function readGaps(repository: Repository, systemIdentifier: string): Promise<readonly RecordedGap[]> {
  const entries = [...(await readMeta(repository, GAPS)).values()];
  return entries
    .filter((entry) => entry.systemIdentifier === systemIdentifier)
    .map((entry) => ({
      ...entry,
      start: fromHex(entry.start),
      end: entry.end === null ? undefined : fromHex(entry.end),
    }))
    .sort((a, b) => a.timeline - b.timeline || (a.start < b.start ? -1 : 1));
}

/** Writes a gap down. The same start on the same timeline replaces what was written before. */
export async function recordGap(repository: Repository, gap: WalGap): Promise<void> {
  await updateMeta(repository, GAPS, (entries, stamp) => {
    const { systemIdentifier, timeline, reason } = gap;
    const key = keyOf(gap);
    const detail = gap.detail.slice(0, MAX_DETAIL);
    const end = gap.end === undefined ? null : toHex(gap.end);
    entries.set(key, { time: stamp(key), systemIdentifier, timeline, start: toHex(gap.start), end, reason, detail });
    const surplus = [...entries].sort(([, a], [, b]) => b.time - a.time).slice(MAX_RECORDS);
    for (const [old] of surplus) entries.delete(old);
  });
}

/** Forgets the gaps for which `isOver` says so. A storage that is away meanwhile may bring one back; it is only words. */
export async function trimGaps(repository: Repository, isOver: (gap: WalGap) => boolean): Promise<void> {
  await updateMeta(repository, GAPS, (entries) => {
    for (const [key, entry] of entries) {
      const gap = { ...entry, start: fromHex(entry.start), end: entry.end === null ? undefined : fromHex(entry.end) };
      if (isOver(gap)) entries.delete(key);
    }
  });
}

function keyOf({ systemIdentifier, timeline, start }: WalGap): string {
  return `${systemIdentifier} ${timeline} ${toHex(start)}`;
}

function toHex(lsn: Lsn): string {
  return lsn.toString(16).padStart(16, '0');
}

function fromHex(text: string): Lsn {
  return BigInt(`0x${text}`);
}
