/** The smallest thing that stores what a loose source yields: plain files in a directory. */
import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { LooseEntry } from '../../../src/sources/entry.ts';

export interface WrittenEntries {
  /** Paths of the files, in the order in which they came. */
  readonly files: readonly string[];
  readonly bytes: number;
}

export interface WriteOptions {
  /** Called before each entry is stored. */
  readonly onEntry?: (entry: LooseEntry) => void | Promise<void>;
}

/** Writes every entry below `root`; throws when a body does not have the size that was promised. */
export async function writeEntries(
  entries: AsyncIterable<LooseEntry>,
  root: string,
  options: WriteOptions = {},
): Promise<WrittenEntries> {
  const files: string[] = [];
  let bytes = 0;
  await mkdir(root, { recursive: true });
  await chmod(root, 0o700);
  for await (const entry of entries) {
    await options.onEntry?.(entry);
    const path = join(root, entry.path);
    if (entry.type === 'dir') await mkdir(path, { recursive: true, mode: 0o700 });
    if (entry.type !== 'file') continue;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const size = await writeBody(entry, path);
    if (size !== entry.size) throw new Error(`${entry.path}: ${size} bytes came, ${entry.size} were promised`);
    files.push(entry.path);
    bytes += size;
  }
  return { files, bytes };
}

async function writeBody(entry: LooseEntry & { type: 'file' }, path: string): Promise<number> {
  await using file = await open(path, 'wx', 0o600);
  if (entry.body.kind === 'bytes') {
    await file.writeFile(entry.body.bytes);
    return entry.body.bytes.length;
  }
  if (entry.body.kind !== 'stream') throw new Error(`${entry.path}: a body of kind ${entry.body.kind}`);
  let size = 0;
  for await (const chunk of entry.body.chunks) {
    size += chunk.length;
    await file.writeFile(chunk);
  }
  return size;
}
