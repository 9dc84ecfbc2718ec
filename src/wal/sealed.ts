/**
 * The stored form of WAL. A piece is one zstd frame (with its content's size, without checksum) in the repository's envelope; a history file
 * is the envelope around its bytes as they are. What is opened here was hashed, authenticated and measured: hostile bytes end in
 * `data_damaged`, and never take more memory than a piece may have.
 */
import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompressSync } from 'node:zlib';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import type { Repository } from '../repository/repository.ts';
import { MAX_PIECE_BYTES, type WalHistory, type WalPiece } from './piece.ts';

type Sealer = Repository['sealer'];

const LEVEL = 3;
/** Bytes of output that zstd makes at a time. Each is a turn of the event loop: at the default of 16 KiB compressing takes half as long again. */
const CHUNK = 1024 * 1024;
const OVERHEAD = 32;
/** The longest sealed piece: one that does not shrink, with room for the frame around it. */
export const MAX_SEALED_PIECE = MAX_PIECE_BYTES + MAX_PIECE_BYTES / 128 + 1024 + OVERHEAD;
/** A history file holds one line for each timeline. */
const MAX_HISTORY_BYTES = 1024 * 1024;
export const MAX_SEALED_HISTORY = MAX_HISTORY_BYTES + OVERHEAD;

const compress = promisify(zstdCompress);

/** Compresses (on a thread of the pool) and seals the bytes of a piece. */
export async function sealPiece(sealer: Sealer, bytes: Uint8Array): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  return sealer.seal(await compress(bytes, { params, pledgedSrcSize: bytes.length, chunkSize: CHUNK }));
}

/** The bytes of a piece. Throws `data_damaged` unless they are exactly what the name promises. */
export function openPiece(sealer: Sealer, sealed: Uint8Array, piece: WalPiece): Buffer {
  const length = Number(piece.end - piece.start);
  const frame = openNamed(sealer, sealed, piece.hash);
  let bytes: Buffer | undefined;
  try {
    bytes = zstdDecompressSync(frame, { maxOutputLength: length, chunkSize: Math.max(length, 1024) });
  } catch (cause) {
    throw new Failure('data_damaged', 'A piece of WAL does not decompress to its length.', { cause });
  }
  if (bytes.length !== length) throw new Failure('data_damaged', 'A piece of WAL is shorter than its name says.');
  return bytes;
}

export function sealHistory(sealer: Sealer, bytes: Uint8Array): Buffer {
  if (bytes.length > MAX_HISTORY_BYTES) throw new Failure('data_damaged', 'A history file of more than a megabyte.');
  return sealer.seal(bytes);
}

/** The bytes of a history file, as the server gave them. Throws `data_damaged`. */
export function openHistory(sealer: Sealer, sealed: Uint8Array, history: WalHistory): Buffer {
  return openNamed(sealer, sealed, history.hash);
}

function openNamed(sealer: Sealer, sealed: Uint8Array, name: Id): Buffer {
  if (hash('sha256', sealed, 'hex') !== name)
    throw new Failure('data_damaged', 'Archived WAL does not hash to its name.');
  return sealer.open(sealed);
}
