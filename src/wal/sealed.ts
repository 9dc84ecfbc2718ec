/**
 * The stored form of WAL. A piece is one zstd frame (with its content's size, without checksum) in the repository's envelope; a history file
 * is the envelope around its bytes as they are. What is opened here was hashed, authenticated and measured: hostile bytes end in
 * `data_damaged`, and never take more memory than a piece may have.
 */
import { hash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { release, releaseAll } from '../base/release.ts';
import type { Repository } from '../repository/repository.ts';
import { MAX_PIECE_BYTES, type WalHistory, type WalPiece } from './piece.ts';

type Sealer = Repository['sealer'];

/** What is kept is made small; what is replaced within minutes, or late, takes two thirds of the time, and a fifth more room. */
const LEVELS = { small: 3, quick: 1 } as const;
/** WAL is written and read in steps: large buffers, one after the other, would set the collector to work for each piece. */
const STEP = 1024 * 1024;
/** So much is compressed at once. */
const COMPRESSION_STEP = 4 * STEP;
const OVERHEAD = 32;
/** The longest sealed piece: one that does not shrink, with room for the frame around it. */
export const MAX_SEALED_PIECE = MAX_PIECE_BYTES + MAX_PIECE_BYTES / 128 + 1024 + OVERHEAD;
/** A history file holds one line for each timeline. */
const MAX_HISTORY_BYTES = 1024 * 1024;
export const MAX_SEALED_HISTORY = MAX_HISTORY_BYTES + OVERHEAD;

export interface SealOptions {
  /** Default `small`. */
  readonly form?: keyof typeof LEVELS;
  /** Asked before every step of a few milliseconds, which waits for it: what is not urgent makes way. */
  readonly turn?: () => Promise<void> | undefined;
}

/**
 * Compresses (on a thread of the pool) and seals the bytes of a piece, and shows that the seal opens to what was sealed: from here on the
 * spool may let go of them.
 */
export async function sealPiece(sealer: Sealer, bytes: Uint8Array, options: SealOptions = {}): Promise<Buffer> {
  const frame = await compress(bytes, options);
  await options.turn?.();
  const sealed = sealer.seal(frame);
  releaseAll(frame);
  const opened = sealer.open(sealed);
  if (!(await holds(opened, bytes, options))) {
    throw new Failure('internal', 'A sealed piece of WAL does not open to what was sealed.');
  }
  releaseAll(opened);
  return sealed;
}

/** One frame that holds the bytes. */
async function compress(bytes: Uint8Array, { form = 'small', turn }: SealOptions): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVELS[form] };
  const stream = createZstdCompress({ params, pledgedSrcSize: bytes.length, chunkSize: STEP });
  const parts: Buffer[] = [];
  await pipeline(steps(bytes, turn), stream, async (frame: AsyncIterable<Buffer>) => {
    for await (const part of frame) parts.push(part);
  });
  const frame = Buffer.concat(parts);
  for (const part of parts) releaseAll(part);
  return frame;
}

async function* steps(bytes: Uint8Array, turn: SealOptions['turn']): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += COMPRESSION_STEP) {
    await turn?.();
    yield bytes.subarray(at, at + COMPRESSION_STEP);
  }
}

/** Whether a frame decompresses to these bytes and nothing more. */
async function holds(frame: Buffer, bytes: Uint8Array, { turn }: SealOptions): Promise<boolean> {
  const decompress = createZstdDecompress({ chunkSize: STEP });
  decompress.end(frame);
  let at = 0;
  let last: Buffer | undefined;
  for await (const chunk of decompress as AsyncIterable<Buffer>) {
    if (!chunk.equals(bytes.subarray(at, at + chunk.length))) return false;
    at += chunk.length;
    release(chunk);
    last = chunk;
    await turn?.();
  }
  if (last !== undefined) releaseAll(last);
  return at === bytes.length;
}

/** The bytes of a piece. Throws `data_damaged` unless they are exactly what the name promises. */
export function openPiece(sealer: Sealer, sealed: Uint8Array, piece: WalPiece): Buffer {
  return openFrame(openNamed(sealer, sealed, piece.hash), Number(piece.end - piece.start));
}

/** The content of a frame, which is given away. Throws `data_damaged` unless it has that length. */
function openFrame(frame: Buffer, length: number): Buffer {
  let bytes: Buffer;
  try {
    // one byte more than needed: a buffer that was filled to the end would be followed by another one
    bytes = zstdDecompressSync(frame, { maxOutputLength: length, chunkSize: Math.max(length + 1, 1024) });
  } catch (cause) {
    throw new Failure('data_damaged', 'A piece of WAL does not decompress to its length.', { cause });
  }
  releaseAll(frame);
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
