/** Log sequence numbers and the names of WAL segments. An LSN is a byte position in the write-ahead log: a bigint, never compared as text. */
import { Failure } from '../base/failure.ts';

/** A byte position in the write-ahead log of a cluster. */
export type Lsn = bigint;

const LSN_TEXT = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/** Parses `16/B374D848` (leading zeros allowed); throws Failure `postgres_protocol` on anything else. */
export function parseLsn(text: string): Lsn {
  const match = LSN_TEXT.exec(text);
  if (!match) throw new Failure('postgres_protocol', `Not a log position: ${JSON.stringify(text.slice(0, 40))}.`);
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

/** The form PostgreSQL prints: two hexadecimal halves without leading zeros. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffff_ffffn).toString(16).toUpperCase()}`;
}

export function earlierLsn(a: Lsn, b: Lsn): Lsn {
  return b < a ? b : a;
}

export function laterLsn(a: Lsn, b: Lsn): Lsn {
  return b > a ? b : a;
}

/** The position of the first byte of the segment that holds `lsn`; `segmentSize` in bytes. */
export function segmentStart(lsn: Lsn, segmentSize: number): Lsn {
  return lsn - (lsn % BigInt(segmentSize));
}

/** The 24 hexadecimal digits that name the segment holding `lsn` on `timeline`. */
export function segmentName(timeline: number, lsn: Lsn, segmentSize: number): string {
  const number = lsn / BigInt(segmentSize);
  const perLog = 0x1_0000_0000n / BigInt(segmentSize);
  return hex8(BigInt(timeline)) + hex8(number / perLog) + hex8(number % perLog);
}

function hex8(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

/** The timeline and the first byte of a segment, from its name; undefined for what is no segment of clusters with this segment size. */
export function parseSegmentName(name: string, segmentSize: number): { timeline: number; start: Lsn } | undefined {
  const match = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/.exec(name);
  if (!match) return undefined;
  const [timeline, log, low] = match.slice(1).map((part) => BigInt(`0x${part}`)) as [bigint, bigint, bigint];
  const perLog = 0x1_0000_0000n / BigInt(segmentSize);
  if (timeline === 0n || low >= perLog) return undefined;
  return { timeline: Number(timeline), start: (log * perLog + low) * BigInt(segmentSize) };
}
