/** The header of a page of the log, and of the first page of a segment. */
import type { Lsn } from '../lsn.ts';
import { LONG_PAGE_HEADER, MAJOR_BY_MAGIC, PAGE_FLAG, PAGE_SIZE, SHORT_PAGE_HEADER } from './format.ts';

export interface PageHeader {
  /** Of PostgreSQL; undefined for a page that no supported version wrote. */
  readonly major: number | undefined;
  readonly flags: number;
  readonly timeline: number;
  readonly address: Lsn;
  /** Bytes that are still to come of a record that began on an earlier page. */
  readonly remaining: number;
}

/** What the first page of a segment says. */
export interface SegmentHeader {
  /** Decimal digits. */
  readonly systemIdentifier: string;
  /** Bytes. */
  readonly segmentSize: number;
  readonly timeline: number;
  /** The position of its first byte. */
  readonly pageAddress: Lsn;
  /** Of PostgreSQL. */
  readonly major: number;
}

const MIB = 1024 * 1024;

/** `bytes` begin with a header of at least 24 bytes. */
export function readPageHeader(bytes: Uint8Array): PageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SHORT_PAGE_HEADER);
  return {
    major: MAJOR_BY_MAGIC.get(view.getUint16(0, true)),
    flags: view.getUint16(2, true),
    timeline: view.getUint32(4, true),
    address: view.getBigUint64(8, true),
    remaining: view.getUint32(16, true),
  };
}

/** Undefined when `bytes` do not begin with the first page of a segment that PostgreSQL 15 to 18 wrote. */
export function readSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  if (bytes.length < LONG_PAGE_HEADER) return undefined;
  const { major, flags, timeline, address } = readPageHeader(bytes);
  if (major === undefined || (flags & PAGE_FLAG.long) === 0 || flags > PAGE_FLAG.all || timeline === 0)
    return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, LONG_PAGE_HEADER);
  const segmentSize = view.getUint32(32, true);
  if (!isSegmentSize(segmentSize) || view.getUint32(36, true) !== PAGE_SIZE) return undefined;
  if (address % BigInt(segmentSize) !== 0n) return undefined;
  const systemIdentifier = view.getBigUint64(24, true).toString();
  return { systemIdentifier, segmentSize, timeline, pageAddress: address, major };
}

/** 1 MiB to 1 GiB, a power of two. */
export function isSegmentSize(bytes: number): boolean {
  return Number.isInteger(bytes) && bytes >= MIB && bytes <= 1024 * MIB && (bytes & (bytes - 1)) === 0;
}
