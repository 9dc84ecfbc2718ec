/** WAL archives for tests: pieces of made-up log, put straight into the storages. */
import { randomBytes } from 'node:crypto';
import type { Repository } from '../../src/repository/repository.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import type { WalPiece, WalSpan } from '../../src/wal/piece.ts';

export const SEGMENT = 1024 * 1024;
export const CLUSTER = '7412345678901234567';
/** The time of the first commit in made-up log, µs: 2024-01-01. Each segment has one commit, a second after the last. */
const FIRST_COMMIT = 1_704_067_200_000_000n;

export interface MadeLog {
  readonly archive: WalArchive;
  /** All bytes from position 0 on. */
  readonly bytes: Buffer;
  /** Stores [from, to) in segments, of timeline 1 when left out; positions in segments. */
  put(
    from: number,
    to: number,
    more?: Partial<WalSpan> & { readonly storages?: readonly string[] },
  ): Promise<WalPiece[]>;
}

/** Log of `segments` random segments; nothing is stored yet. */
export function madeLog(repository: Repository, segments: number, cluster = CLUSTER): MadeLog {
  const archive = new WalArchive(repository, cluster);
  const bytes = randomBytes(segments * SEGMENT);
  const put: MadeLog['put'] = async (from, to, { storages, ...more } = {}) => {
    const pieces: WalPiece[] = [];
    for (let start = Math.round(from * SEGMENT); start < Math.round(to * SEGMENT); ) {
      const end = Math.min(start - (start % SEGMENT) + SEGMENT, Math.round(to * SEGMENT));
      const span = { ...spanOf(start, end, cluster), ...more };
      const { piece, sealed } = await archive.seal(span, bytes.subarray(start, end));
      const replicas = repository.replicas.filter(({ name }) => storages === undefined || storages.includes(name));
      await archive.store(piece, sealed, replicas);
      pieces.push(piece);
      start = end;
    }
    return pieces;
  };
  return { archive, bytes, put };
}

function spanOf(start: number, end: number, systemIdentifier: string): WalSpan {
  const commit = FIRST_COMMIT + BigInt(Math.floor(start / SEGMENT)) * 1_000_000n;
  const commits = { firstCommit: commit, lastCommit: commit };
  return { systemIdentifier, timeline: 1, start: BigInt(start), end: BigInt(end), segmentSize: SEGMENT, ...commits };
}
