/** Ways to spoil what a local storage holds, behind its back. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Paths of the packs of a storage, the largest first. */
export async function packFiles(storage: string): Promise<string[]> {
  const names = await readdir(join(storage, 'data'), { recursive: true });
  const files = names.filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => join(storage, 'data', name));
  const sized = await Promise.all(files.map(async (file) => ({ file, size: (await stat(file)).size })));
  return sized.sort((a, b) => b.size - a.size).map(({ file }) => file);
}

/** Flips one bit, by default in the middle. */
export async function flipBit(file: string, at?: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at ?? bytes.length >> 1]! ^= 1;
  await overwrite(file, bytes);
}

export async function overwrite(file: string, bytes: Uint8Array): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, bytes);
}

/** The path of one object of a kind. */
export async function anyOf(storage: string, kind: string): Promise<string> {
  const [name] = await readdir(join(storage, kind));
  return join(storage, kind, name!);
}

export async function swap(a: string, b: string): Promise<void> {
  const [x, y] = [await readFile(a), await readFile(b)];
  await overwrite(a, y);
  await overwrite(b, x);
}

/** Removes everything in the directory, but not the directory. */
export async function wipe(storage: string): Promise<void> {
  for (const name of await readdir(storage)) await rm(join(storage, name), { recursive: true });
}
