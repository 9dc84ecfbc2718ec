/** Takes in an export package that somebody sends: onto the disk as it comes, whole or not at all. What is in it is checked by `import`. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import { formatBytes } from '../base/sizes.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { checkRoom } from '../recovery/target.ts';
import { refused } from './package/tar-reader.ts';

export interface ReceiveInput {
  /** Absolute; a new name in a directory that exists. */
  readonly file: string;
  readonly parts: AsyncIterable<Uint8Array>;
  /** Bytes that it may have. */
  readonly limit: number;
  /** Bytes that it is said to have. */
  readonly said: number | undefined;
}

/** Room is looked for again after so many bytes. */
const LOOK_EVERY = 64 * 1024 * 1024;
const BLOCK = 512;

/** Its bytes. Throws `request_too_large`, `target_full`, `package_refused` for what is no tar archive, and what `parts` throws. */
export async function receivePackage({ file, parts, limit, said = 0 }: ReceiveInput): Promise<number> {
  if (said > limit) throw tooLarge(limit);
  await checkRoom(file, said, 1, 'the package');
  const partial = `${file}.part`;
  try {
    await using handle = await open(partial, 'wx', 0o600);
    const bytes = await writeParts(handle, file, parts, limit);
    await handle.sync();
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw inOurWords(error, file);
  }
}

async function writeParts(handle: FileHandle, file: string, parts: AsyncIterable<Uint8Array>, limit: number) {
  let bytes = 0;
  let lookAt = LOOK_EVERY;
  let begin: Buffer | undefined = Buffer.alloc(0);
  for await (const part of parts) {
    bytes += part.length;
    if (bytes > limit) throw tooLarge(limit);
    if (begin !== undefined) begin = checkedBegin(Buffer.concat([begin, part.subarray(0, BLOCK)]));
    if (bytes >= lookAt) {
      await checkRoom(file, LOOK_EVERY, 0, 'the package');
      lookAt = bytes + LOOK_EVERY;
    }
    await handle.writeFile(part);
  }
  if (begin !== undefined) throw refused('it is too short');
  return bytes;
}

/** Undefined once enough was seen of it. */
function checkedBegin(begin: Buffer): Buffer | undefined {
  if (begin.length < BLOCK) return begin;
  if (begin.toString('latin1', 257, 262) === 'ustar') return undefined;
  throw refused('it is no tar archive');
}

function tooLarge(limit: number): Failure {
  return new Failure('request_too_large', `A package may have ${formatBytes(limit)} at most here.`, {
    hint: 'Raise server.exchange.maxUpload, or use "holdfast import" on the machine itself.',
  });
}

function inOurWords(error: unknown, file: string): unknown {
  const code = errno(error);
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new Failure('target_full', `${file}: ${(error as Error).message}.`, { cause: error });
}
