/** Replaces a small file as a whole: who reads sees the old or the new one. */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { spoolFailure, syncEntries } from './segment-file.ts';

/** `durable`: it also survives a power failure. Throws `spool_failed`. */
export async function replaceFile(path: string, text: string, durable: boolean): Promise<void> {
  const temporary = `${path}.new`;
  try {
    await using file = await open(temporary, 'w', 0o600);
    await file.writeFile(text);
    if (durable) await file.sync();
    await rename(temporary, path);
  } catch (error) {
    throw spoolFailure(path, error);
  }
  if (durable) await syncEntries(dirname(path));
}
