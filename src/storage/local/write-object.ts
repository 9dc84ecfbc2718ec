/**
 * Writing one object so that it is whole or not there, whatever is interrupted: a temporary file beside it, fsync, rename, fsync of the
 * directory. This is the hot path of a backup: no copy of the bytes, seven system calls.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { syncDirectory } from '../../base/sync-directory.ts';
import { isSealedName, temporaryName } from '../keys.ts';
import type { Root } from './root.ts';

/** What `link` answers on file systems without hard links (exFAT, some network shares). */
const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export interface WriteRequest {
  readonly path: string;
  readonly parts: readonly Uint8Array[];
  /** Fail with EEXIST when the object is there already, decided atomically. */
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Stores the object durably. Errors are those of the operating system; after one, the temporary file is gone again. */
export async function writeObject(root: Root, request: WriteRequest): Promise<void> {
  const temporary = join(dirname(request.path), temporaryName(basename(request.path), randomBytes(6).toString('hex')));
  const file = await openTemporary(root, temporary);
  try {
    await fill(root, file, request);
    request.signal?.throwIfAborted();
    if (request.ifAbsent) await claim(temporary, request.path);
    else await rename(temporary, request.path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw error;
  }
  await syncDirectory(dirname(request.path));
}

async function openTemporary(root: Root, temporary: string): Promise<FileHandle> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  try {
    return await open(temporary, flags, 0o600);
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error;
    await root.makeParents(temporary);
    return await open(temporary, flags, 0o600);
  }
}

async function fill(root: Root, file: FileHandle, request: WriteRequest): Promise<void> {
  try {
    await writeAll(file, request.parts, request.signal);
    await setMode(file, await modeFor(root, request.path));
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, parts: readonly Uint8Array[], signal: AbortSignal | undefined) {
  let rest = parts.filter((part) => part.byteLength > 0);
  while (rest.length > 0) {
    signal?.throwIfAborted();
    const { bytesWritten } = await file.writev(rest);
    rest = after(rest, bytesWritten);
  }
}

/** What is left of `parts` once `written` bytes are; a short write is normal at 2 GiB and shortly before the disk is full. */
function after(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  let index = 0;
  while (index < parts.length && skip >= parts[index]!.byteLength) skip -= parts[index++]!.byteLength;
  if (index === parts.length) return [];
  return [parts[index]!.subarray(skip), ...parts.slice(index + 1)];
}

/** Objects named by their hash never change, so nobody needs to write to them again. */
async function modeFor(root: Root, path: string): Promise<number> {
  const { file } = await root.modes();
  return isSealedName(path) ? file & ~0o222 : file;
}

async function setMode(file: FileHandle, mode: number): Promise<void> {
  if (mode === 0o600) return;
  await file.chmod(mode).catch(() => {
    // Some network file systems know no modes. The object is as good without.
  });
}

/** Gives the finished file its name unless the name is taken (EEXIST); of several at once exactly one succeeds. */
async function claim(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    if (!NO_HARD_LINKS.has(errno(error) ?? '')) throw error;
    return claimByCreating(temporary, path);
  }
  await unlink(temporary);
}

/**
 * The same without hard links: whoever creates the empty file owns the name and replaces it. Between the two steps the object is empty;
 * should the process die there, the empty object stays and readers report it.
 */
export async function claimByCreating(temporary: string, path: string): Promise<void> {
  const placeholder = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  await placeholder.close();
  await rename(temporary, path);
}

/** The failure for a name that is taken. */
export function objectExists(storage: string, key: string): Failure {
  return new Failure('object_exists', `${storage}: ${key} exists already.`);
}
