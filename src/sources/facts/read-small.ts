/** Reads files that ought to be small, of whoever wrote them. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** The file's bytes, or undefined when it is missing, unreadable, no regular file, or larger than `limit` bytes. */
export async function readSmall(path: string, limit: number): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (stats.size > limit || !stats.isFile()) return undefined;
    const buffer = Buffer.alloc(stats.size);
    const { bytesRead } = await file.read(buffer, 0, stats.size, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return undefined;
  }
}

/** The same as text; undefined as well when the text is not UTF-8. */
export async function readSmallText(path: string, limit: number): Promise<string | undefined> {
  const bytes = await readSmall(path, limit);
  try {
    return bytes === undefined ? undefined : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
