/**
 * The directory most benchmarks back up: the stopped data directory of a real PostgreSQL, photo-like files that do not compress, and text.
 * The same every time but for what PostgreSQL itself writes (transaction times, system identifier).
 */
import { cp, mkdir, open, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres } from '../../test/support/postgres/server.ts';
import { numbers, randomBytesOf, textOf } from './random.ts';
import { fillStatements } from './tables.ts';

const MIB = 1024 * 1024;
const MAJOR = 17;
const PHOTOS_IN_DIRECTORY = 50;

export interface DirectoryParts {
  /** Bytes of each part. */
  readonly database: number;
  readonly photos: number;
  readonly text: number;
}

/** Fills the new directory `path`. */
export async function makeDirectory(path: string, { database, photos, text }: DirectoryParts): Promise<void> {
  await mkdir(path);
  await makeDatabase(join(path, 'pgdata'), database);
  await makePhotos(join(path, 'photos'), photos);
  await makeText(join(path, 'text'), text);
}

async function makeDatabase(path: string, bytes: number): Promise<void> {
  const server = await startPostgres({ major: MAJOR });
  try {
    for (const statement of fillStatements(bytes)) await server.sql(statement);
    await server.instance.stop('fast');
    await cp(server.dataDir, path, { recursive: true });
  } finally {
    await server.stop();
  }
}

/** From 60 KiB to 4 MiB, the smaller ones more often. */
async function makePhotos(path: string, bytes: number): Promise<void> {
  const next = numbers(1);
  for (let number = 0, left = bytes; left > 0; number++) {
    const size = Math.min(left, Math.floor(60 * 1024 * 68 ** next()));
    await writeInto(
      join(path, String(Math.floor(number / PHOTOS_IN_DIRECTORY))),
      `${number}.jpg`,
      randomBytesOf(`photo ${number}`, size),
    );
    left -= size;
  }
}

/** From 2 KiB to 1 MiB. */
async function makeText(path: string, bytes: number): Promise<void> {
  const next = numbers(2);
  for (let number = 0, left = bytes; left > 0; number++) {
    const size = Math.min(left, Math.floor(2048 * 512 ** next()));
    await writeInto(join(path, String(Math.floor(number / 200))), `${number}.txt`, textOf(number, size));
    left -= size;
  }
}

async function writeInto(directory: string, name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, name), bytes);
}

/**
 * Changes one percent of the bytes: in each relation file a run of pages (as a busy table is changed, not everywhere at random), one
 * photo in a hundred replaced, one text in a hundred with a line in its middle. Another `round` changes other places.
 */
export async function changeOnePercent(path: string, round: number): Promise<void> {
  const next = numbers(1000 + round);
  for (const file of await filesBelow(path)) {
    const { size } = await stat(file);
    const changed = Buffer.from(`round ${round} `);
    if (file.endsWith('.jpg')) {
      if (next() < 0.01) await writeFile(file, randomBytesOf(`${file} in round ${round}`, size));
    } else if (file.endsWith('.txt')) {
      if (next() < 0.01) await overwrite(file, Math.floor(size / 2), changed);
    } else if (size >= MIB) {
      const run = Math.max(8192, Math.floor(size / 100 / 8192) * 8192);
      const at = Math.floor((next() * (size - run)) / 8192) * 8192;
      await overwrite(file, at, randomBytesOf(`${file} at ${at} in round ${round}`, run));
    }
  }
}

async function overwrite(file: string, at: number, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, 'r+');
  await handle.write(bytes, 0, bytes.length, at);
}

async function filesBelow(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true, recursive: true });
  return entries.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : [])).sort();
}
