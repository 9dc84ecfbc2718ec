/** Writes what a command was asked to put into a file: whole or not at all, and told in our words when it cannot be. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { Failure } from '../../base/failure.ts';

/** Replaces what is there. Throws `output_failed`. */
export async function writeFileWhole(path: string, text: string): Promise<void> {
  const draft = `${path}.tmp`;
  try {
    await writeFile(draft, text, { flush: true });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw new Failure('output_failed', `${path} cannot be written: ${(cause as Error).message}.`, { cause });
  }
}
