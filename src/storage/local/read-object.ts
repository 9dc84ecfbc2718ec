/** Reading one object, or a range of it, into a buffer of exactly its size. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Failure } from '../../base/failure.ts';
import { MAX_OBJECT_BYTES } from '../bytes.ts';
import type { ByteRange } from '../object-store.ts';

/** Bytes per system call when a signal can interrupt in between; Linux moves at most 2 GiB at once anyway. */
const CHUNK = 64 * 1024 * 1024;

/**
 * The bytes of the file, in memory that is nobody else's (it may be transferred to a worker). Never blocks on a fifo.
 * Errors: those of the operating system; `data_damaged` when the range reaches beyond the end.
 */
export async function readObject(
  label: string,
  path: string,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { offset, length } = await extent(label, file, range);
    const bytes = Buffer.allocUnsafeSlow(length);
    await readInto(label, file, bytes, offset, signal);
    return bytes;
  } finally {
    await file.close();
  }
}

async function extent(label: string, file: FileHandle, range: ByteRange | undefined): Promise<ByteRange> {
  const found = await file.stat();
  if (!found.isFile()) throw new Failure('data_damaged', `${label} is not a regular file.`);
  const wanted = range ?? { offset: 0, length: found.size };
  if (wanted.offset + wanted.length > found.size) throw tooShort(label, wanted, found.size);
  if (wanted.length > MAX_OBJECT_BYTES) throw new Failure('data_damaged', `${label} is larger than an object can be.`);
  return wanted;
}

async function readInto(label: string, file: FileHandle, bytes: Buffer, offset: number, signal?: AbortSignal) {
  let done = 0;
  while (done < bytes.byteLength) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(bytes, done, Math.min(CHUNK, bytes.byteLength - done), offset + done);
    if (bytesRead === 0) throw tooShort(label, { offset, length: bytes.byteLength }, offset + done);
    done += bytesRead;
  }
}

function tooShort(label: string, range: ByteRange, size: number): Failure {
  const end = range.offset + range.length;
  return new Failure('data_damaged', `${label} has ${size} bytes; bytes ${range.offset} to ${end} were asked for.`);
}
