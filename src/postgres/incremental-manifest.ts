/**
 * The manifest that an incremental backup is asked for with: what the earlier copy holds, and up to where in the log it is known to be right.
 *
 * It is written anew from the earlier point itself, and names only files that we hold and can build on: the server sends every other file
 * whole. So a file whose content is damaged in the repository comes whole; and so do all forks but the main one. Visibility maps must: their
 * changes are not always in the log in a way that the server's summaries notice (heap truncation without page checksums, and heap changes
 * that clear bits without naming the map's page). They are tiny. Free space maps are sent whole by the server in any case.
 */
import { createHash } from 'node:crypto';
import { formatLsn, type Lsn } from './lsn.ts';

export interface ManifestOfBase {
  /** A 64-bit number, as text. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly startLsn: Lsn;
  readonly stopLsn: Lsn;
  /** Paths relative to the data directory, with bytes. */
  readonly files: Iterable<readonly [path: string, bytes: number]>;
}

/** The manifest as `UPLOAD_MANIFEST` takes it: version 2 (PostgreSQL 17), with its checksum of itself. */
export function manifestOfBase(base: ManifestOfBase): Buffer {
  const files = [...base.files].map(([path, size]) => `{ ${nameOf(path)}, "Size": ${size} }`);
  const text =
    `{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": ${BigInt(base.systemIdentifier)},\n` +
    `"Files": [\n${files.join(',\n')}\n],\n` +
    `"WAL-Ranges": [\n{ "Timeline": ${base.timeline}, "Start-LSN": "${formatLsn(base.startLsn)}", "End-LSN": "${formatLsn(base.stopLsn)}" }\n],\n`;
  const checksum = createHash('sha256').update(text).digest('hex');
  return Buffer.from(`${text}"Manifest-Checksum": "${checksum}"}\n`);
}

function nameOf(path: string): string {
  return `"Path": ${JSON.stringify(path)}`;
}
