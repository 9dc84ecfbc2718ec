/**
 * PostgreSQL's own backups as it sends them: `node own-incremental.ts URL BASE FILE`. Everything that comes, log included, goes through zstd (level 3)
 * into FILE. With the facts of an earlier backup in BASE it asks for an incremental one, else for a full one, whose facts it writes there.
 * What `pg_basebackup --incremental` does, without writing a file each; that program is in none of the packages the tests use.
 */
import { createWriteStream, existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { mainForkOf } from '../src/postgres/relation-path.ts';
import type { LooseEntry } from '../src/sources/entry.ts';
import { type BaseCopy, openPostgresSource } from '../src/sources/postgres-source.ts';

const [url = '', basePath = '', target = ''] = process.argv.slice(2);
const base = existsSync(basePath) ? await readBase() : undefined;
const source = openPostgresSource({ url, label: 'bench', countBudgetMs: 0, ...(base === undefined ? {} : { base }) });
const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
const written = finished(zstd.pipe(createWriteStream(target)));
const files: [string, number][] = [];
for await (const entry of source.entries()) {
  if (entry.type !== 'file') continue;
  if (mainForkOf(entry.path)) files.push([entry.path, entry.size]);
  for await (const chunk of bytesOf(entry)) await write(zstd, chunk);
}
zstd.end();
await written;
if (base !== undefined && !source.isIncremental) throw new Error('the server sent everything');
if (base === undefined) {
  const { systemIdentifier, backup } = await source.facts();
  await writeFile(basePath, JSON.stringify({ systemIdentifier, ...backup, files }));
}

async function readBase(): Promise<BaseCopy> {
  const facts = JSON.parse(await readFile(basePath, 'utf8'));
  return { ...facts, point: 'bench', isDamaged: false, files: new Map(facts.files) };
}

async function* bytesOf({ body }: Extract<LooseEntry, { type: 'file' }>): AsyncGenerator<Uint8Array> {
  if (body.kind === 'bytes') yield body.bytes;
  else if (body.kind === 'stream') yield* body.chunks;
  else if (body.kind === 'changes') for await (const page of body.pages()) yield Uint8Array.from(page);
}

async function write(stream: Writable, chunk: Uint8Array): Promise<void> {
  if (!stream.write(chunk)) await new Promise((resolve) => stream.once('drain', resolve));
}
