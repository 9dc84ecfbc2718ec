/**
 * Our own pass over the copy's files: the checksum of every page of every relation, of indexes and free-space maps too, which no query
 * reads as a whole. The server is running, so its buffers are written out first, and a page that looks wrong is read again: it may have
 * been on its way to the disk.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../../base/errno.ts';
import { isNewPage, pageChecksum, statedChecksum } from '../../postgres/page.ts';
import type { Collector, Finding } from './finding.ts';
import { relationName } from './relation-name.ts';
import { type CheckWorld, openSql, runCheck } from './server.ts';

const PAGE = 8192;
const PAGES_AT_ONCE = 128;
const TRIES = 5;
const PAUSE_MS = 100;
/** All forks and segments of relations; temporary ones (`t3_16400`) and the server's other files carry no checksums. */
const RELATION = /^\d+(?:_(?:fsm|vm|init))?(?:\.(\d+))?$/;
const FREE_SPACE = /_fsm(?:\.\d+)?$/;

interface PageTotals {
  readonly pages: number;
  readonly bytes: number;
}

export async function checkPages(
  world: CheckWorld,
): Promise<{ readonly finding: Finding; readonly totals: PageTotals }> {
  let bytes = 0;
  let pages = 0;
  const finding = await runCheck(world, 'page checksums', 'pages', async (found) => {
    const { checksums, pageSize, segmentPages } = await prepare(world);
    const hasChecksums = checksums && pageSize === PAGE;
    if (!hasChecksums) {
      const why = checksums ? `its pages have ${pageSize} bytes` : 'the cluster was made without them';
      found.skip(`No page checksums to compare: ${why}. Damaged rows are what the check of tables finds.`);
    }
    const options = { segmentPages, hasChecksums, buffer: Buffer.alloc(PAGE * PAGES_AT_ONCE) };
    for (const path of await relationFiles(world.copy.directory)) {
      world.signal.throwIfAborted();
      const done = await checkFile(world, path, options, found);
      pages += done.pages;
      bytes += done.bytes;
    }
    if (hasChecksums) found.count(pages);
  });
  return { finding, totals: { pages, bytes } };
}

async function prepare(world: CheckWorld) {
  await using sql = await openSql(world);
  const [row] = await sql.rows(
    `SELECT current_setting('data_checksums') = 'on' AS checksums, current_setting('block_size')::int AS size,
            (SELECT setting::int FROM pg_settings WHERE name = 'segment_size') AS segment`,
  );
  await sql.run('SET statement_timeout = 0; CHECKPOINT', 'Writing the buffers out');
  return { checksums: row?.checksums === true, pageSize: Number(row?.size), segmentPages: Number(row?.segment) };
}

/** Paths relative to the data directory. */
async function relationFiles(directory: string): Promise<string[]> {
  const found: string[] = [];
  const databases = [{ path: 'global', global: true }, ...(await below(directory, 'base'))];
  for (const space of await below(directory, 'pg_tblspc')) {
    for (const version of await below(directory, space.path)) databases.push(...(await below(directory, version.path)));
  }
  for (const { path } of databases) {
    const names = await readdir(join(directory, path)).catch(() => []);
    found.push(...names.filter((name) => RELATION.test(name)).map((name) => join(path, name)));
  }
  return found.sort();
}

async function below(directory: string, path: string): Promise<{ path: string }[]> {
  const names = await readdir(join(directory, path)).catch(() => []);
  return names.map((name) => ({ path: join(path, name) }));
}

interface FileOptions {
  readonly segmentPages: number;
  readonly hasChecksums: boolean;
  /** Used for one file after the other. */
  readonly buffer: Buffer;
}

async function checkFile(
  world: CheckWorld,
  path: string,
  { segmentPages, hasChecksums, buffer }: FileOptions,
  found: Collector,
): Promise<PageTotals> {
  const file = await open(join(world.copy.directory, path)).catch(gone);
  if (file === undefined) return { pages: 0, bytes: 0 };
  try {
    const { size } = await file.stat();
    if (!hasChecksums) return { pages: Math.floor(size / PAGE), bytes: size };
    const first = Number(/\.(\d+)$/.exec(path)?.[1] ?? 0) * segmentPages;
    const damaged = await damagedPages(world, { file, size, first, buffer });
    if (damaged.length > 0) {
      const name = await relationName(world, path);
      const shown = damaged.slice(0, 10).join(', ');
      const says = `${path}${name}: ${damaged.length} damaged pages: ${shown}${damaged.length > 10 ? ', …' : ''}`;
      if (FREE_SPACE.test(path)) found.note(`${says}. It is a map of free space, which the server makes anew.`);
      else found.problem(says);
    }
    return { pages: Math.floor(size / PAGE), bytes: size };
  } finally {
    await file.close();
  }
}

/** Numbers of the pages within their relation whose checksum is wrong, however often they are read. */
async function damagedPages(
  world: CheckWorld,
  { file, size, first, buffer }: { file: FileHandle; size: number; first: number; buffer: Buffer },
): Promise<number[]> {
  const damaged: number[] = [];
  for (let at = 0; at + PAGE <= size; at += buffer.length) {
    world.signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    for (let inside = 0; inside + PAGE <= bytesRead; inside += PAGE) {
      const block = first + (at + inside) / PAGE;
      if (isGood(buffer.subarray(inside, inside + PAGE), block)) continue;
      if (!(await becomesGood(world, file, at + inside, block))) damaged.push(block);
    }
  }
  return damaged;
}

async function becomesGood(
  { clock, signal }: CheckWorld,
  file: FileHandle,
  at: number,
  block: number,
): Promise<boolean> {
  const page = Buffer.alloc(PAGE);
  for (let tried = 0; tried < TRIES; tried++) {
    await clock.sleep(PAUSE_MS, signal);
    const { bytesRead } = await file.read(page, 0, PAGE, at);
    if (bytesRead < PAGE || isGood(page, block)) return true;
  }
  return false;
}

/** A page that was never used must be empty altogether. */
function isGood(page: Buffer, block: number): boolean {
  if (isNewPage(page)) return page.every((byte) => byte === 0);
  return statedChecksum(page) === pageChecksum(page, block);
}

/** A relation that was dropped in between. */
function gone(error: unknown): undefined {
  if (errno(error) === 'ENOENT') return undefined;
  throw error;
}
