/** Writes what a command was asked to put into a file: whole or not at all, readable by its owner only, and told in our words when it cannot be. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a file stands where its directory belongs',
  EISDIR: 'a directory stands there',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is mounted read-only',
  ENOSPC: 'no space is left there',
  EDQUOT: 'the disk quota is used up',
  ENAMETOOLONG: 'the name is too long',
};

/** Replaces what is there; into a device or a pipe it writes. Throws `output_failed`. */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  try {
    const there = await stat(path).catch(() => undefined);
    if (there === undefined || there.isFile() || there.isDirectory()) await replace(path, text);
    else await writeFile(path, text);
  } catch (cause) {
    const reason = REASONS[errno(cause) ?? ''] ?? (cause as Error).message;
    throw new Failure('output_failed', `${printable(path)} cannot be written: ${reason}.`, {
      hint: 'Name a file in a directory that is there and that this account may write to.',
      cause,
    });
  }
}

async function replace(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    await write(draft, text);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
}

/** The name must be a new one: nothing is written through somebody else's link. */
async function write(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}
