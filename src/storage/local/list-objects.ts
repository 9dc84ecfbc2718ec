/** Listing objects below a prefix: directories are streamed, never held whole; sizes come a page at a time. */
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { isKey } from '../keys.ts';
import type { ObjectInfo } from '../object-store.ts';

const PAGE = 1000;

/** Directories below the prefix deeper than this are not ours. */
const MAX_DEPTH = 8;

/** Pages of the objects whose keys begin with `prefix`. Throws ENOENT when the directory the prefix names is not there. */
export async function* listObjects(
  root: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly ObjectInfo[]> {
  let page: string[] = [];
  for await (const key of keysBelow(root, prefix, signal)) {
    page.push(key);
    if (page.length < PAGE) continue;
    yield await sizes(root, page);
    page = [];
  }
  if (page.length > 0) yield await sizes(root, page);
}

async function* keysBelow(root: string, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  const pending = [{ directory: prefix.slice(0, prefix.lastIndexOf('/') + 1), depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    signal?.throwIfAborted();
    const entries = await openDirectory(join(root, next.directory), next.depth === 0);
    if (!entries) continue;
    for await (const entry of entries) {
      const key = next.directory + entry.name;
      if (!isKey(key) || !key.startsWith(prefix)) continue;
      if (!entry.isDirectory()) yield key;
      else if (next.depth < MAX_DEPTH) pending.push({ directory: `${key}/`, depth: next.depth + 1 });
    }
  }
}

/** A directory that vanishes while we walk is no error; the first one not being there is the caller's business. */
async function openDirectory(path: string, first: boolean) {
  try {
    return await opendir(path, { bufferSize: PAGE });
  } catch (error) {
    if (!first && errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function sizes(root: string, keys: readonly string[]): Promise<ObjectInfo[]> {
  const found = await Promise.all(keys.map((key) => sizeOf(root, key)));
  return found.filter((info) => info !== undefined);
}

/** Undefined for what was removed meanwhile and for what is no regular file. */
async function sizeOf(root: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    const found = await stat(join(root, key));
    return found.isFile() ? { key, size: found.size } : undefined;
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}
