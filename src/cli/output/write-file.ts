/** Writes what a command was asked to put into a file: whole or not at all, readable by its owner only, and told in our words when it cannot be. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../base/failure.ts';

/** Replaces what is there. Throws `output_failed`. */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    await write(draft, text);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw new Failure('output_failed', `${path} cannot be written: ${(cause as Error).message}.`, { cause });
  }
}

/** The name must be a new one: nothing is written through somebody else's link. */
async function write(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}
