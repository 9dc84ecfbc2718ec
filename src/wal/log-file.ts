/** The files PostgreSQL asks an archive for, or hands to it: what their names say, and which cluster a data directory is of. */
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Failure } from '../base/failure.ts';
import type { Lsn } from '../postgres/lsn.ts';

export type LogFileName =
  | {
      readonly kind: 'segment' | 'partial';
      readonly name: string;
      readonly timeline: number;
      readonly place: SegmentPlace;
    }
  | { readonly kind: 'history'; readonly name: string; readonly timeline: number }
  | { readonly kind: 'backup'; readonly name: string };

/** A segment's number as its name has it: where that is in the log depends on the size of segments. */
export interface SegmentPlace {
  /** The upper half of its positions. */
  readonly log: number;
  /** Its number within the 4 GiB of `log`. */
  readonly segment: number;
}

const SEGMENT = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})(\.partial)?$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;
const BACKUP = /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/;
const CONTROL_FILE = 'global/pg_control';

/** What the last part of `path` names; undefined for what PostgreSQL archives no file as. */
export function parseLogFileName(path: string): LogFileName | undefined {
  const name = basename(path);
  const [, timeline = '', log = '', segment = '', partial] = SEGMENT.exec(name) ?? [];
  if (timeline !== '') {
    const place = { log: Number.parseInt(log, 16), segment: Number.parseInt(segment, 16) };
    return {
      kind: partial === undefined ? 'segment' : 'partial',
      name,
      timeline: Number.parseInt(timeline, 16),
      place,
    };
  }
  const history = HISTORY.exec(name)?.[1];
  if (history !== undefined) return { kind: 'history', name, timeline: Number.parseInt(history, 16) };
  return BACKUP.test(name) ? { kind: 'backup', name } : undefined;
}

/** The position of the segment's first byte, or undefined when no segment of this size has such a number. */
export function segmentPosition({ log, segment }: SegmentPlace, segmentSize: number): Lsn | undefined {
  const offset = BigInt(segment) * BigInt(segmentSize);
  return offset < 0x1_0000_0000n ? (BigInt(log) << 32n) + offset : undefined;
}

/** The positions that share `log`: 4 GiB. */
export function logRange({ log }: SegmentPlace): { readonly from: Lsn; readonly to: Lsn } {
  const from = BigInt(log) << 32n;
  return { from, to: from + 0x1_0000_0000n };
}

/** The system identifier of the cluster in a data directory, from its control file; undefined when there is none. */
export async function clusterOf(dataDirectory: string): Promise<string | undefined> {
  const file = await open(join(dataDirectory, CONTROL_FILE)).catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    return bytesRead === 8 ? buffer.readBigUInt64LE().toString() : undefined;
  } finally {
    await file.close();
  }
}

/** A file that is not taken into the archive. */
export function refused(message: string, hint: string): Failure {
  return new Failure('wal_refused', message, { hint });
}
