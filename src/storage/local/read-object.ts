/** Reading one object, or a range of it, into a buffer of exactly its size. */
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { Failure } from '../../base/failure.ts';
import { MAX_OBJECT_BYTES } from '../bytes.ts';
import type { ByteRange } from '../object-store.ts';
import type { OpenFile } from './open-files.ts';

/** Bytes per system call when a signal can interrupt in between; Linux moves at most 2 GiB at once anyway. */
const CHUNK = 64 * 1024 * 1024;

const readFd = promisify(read);

/**
 * The bytes of the file, in memory that is nobody else's (it may be transferred to a worker).
 * Errors: those of the operating system; `data_damaged` when the range reaches beyond the end.
 */
export async function readObject(
  label: string,
  file: OpenFile,
  range: ByteRange | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { offset, length } = extent(label, file, range);
  const bytes = Buffer.allocUnsafeSlow(length);
  await readInto(label, file.fd, bytes, offset, signal);
  return bytes;
}

function extent(label: string, { stats }: OpenFile, range: ByteRange | undefined): ByteRange {
  if (!stats.isFile()) throw new Failure('data_damaged', `${label} is not a regular file.`);
  const wanted = range ?? { offset: 0, length: stats.size };
  if (wanted.offset + wanted.length > stats.size) throw tooShort(label, wanted, stats.size);
  if (wanted.length > MAX_OBJECT_BYTES) throw new Failure('data_damaged', `${label} is larger than an object can be.`);
  return wanted;
}

async function readInto(label: string, fd: number, bytes: Buffer, offset: number, signal?: AbortSignal) {
  let done = 0;
  while (done < bytes.byteLength) {
    signal?.throwIfAborted();
    const { bytesRead } = await readFd(fd, bytes, done, Math.min(CHUNK, bytes.byteLength - done), offset + done);
    if (bytesRead === 0) throw tooShort(label, { offset, length: bytes.byteLength }, offset + done);
    done += bytesRead;
  }
}

function tooShort(label: string, range: ByteRange, size: number): Failure {
  const end = range.offset + range.length;
  return new Failure('data_damaged', `${label} has ${size} bytes; bytes ${range.offset} to ${end} were asked for.`);
}
