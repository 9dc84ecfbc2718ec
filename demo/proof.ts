/** What shows that a clinic is back: how many rows and files there are, and sums over their content that would differ by one bit. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { TABLES, type Table } from './database.ts';

export interface TableProof {
  readonly rows: number;
  /** A sum of PostgreSQL's own 64-bit hashes over all rows as text; independent of their order. */
  readonly sum: string;
}

/** Rows and content of every table. */
export async function proveTables(client: ClientBase): Promise<Record<Table, TableProof>> {
  const proofs: [Table, TableProof][] = [];
  for (const table of TABLES) {
    const text = 'select count(*)::int as rows, coalesce(sum(hashtextextended(t::text, 0)), 0)::text as sum';
    const { rows } = await client.query<TableProof>(`${text} from ${table} t`);
    proofs.push([table, rows[0]!]);
  }
  return Object.fromEntries(proofs) as Record<Table, TableProof>;
}

export interface FilesProof {
  readonly files: number;
  readonly bytes: number;
  /** SHA-256 of each file by its path relative to the directory, in order of paths. */
  readonly sha256: ReadonlyMap<string, string>;
}

/** Every regular file below `directory`, with its SHA-256. */
export async function proveFiles(directory: string): Promise<FilesProof> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sha256 = new Map<string, string>();
  let bytes = 0;
  for (const path of paths.sort()) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.length;
      }
    });
    sha256.set(path.slice(directory.length + 1), hash.digest('hex'));
  }
  return { files: sha256.size, bytes, sha256 };
}

/** Paths whose content differs, or that only one side has. */
export function differingFiles(one: FilesProof, other: FilesProof): string[] {
  const paths = new Set([...one.sha256.keys(), ...other.sha256.keys()]);
  return [...paths].filter((path) => one.sha256.get(path) !== other.sha256.get(path));
}

/** Rows that name a file which is not there or differs from what the row says. Paths are relative to the media directory. */
export async function rowsWithoutTheirFile(client: ClientBase, files: FilesProof): Promise<string[]> {
  const named = await client.query<{ file: string; sha256: string }>(
    'select file, sha256 from clinical_media union all select file, sha256 from reports',
  );
  return named.rows.filter(({ file, sha256 }) => files.sha256.get(file) !== sha256).map(({ file }) => file);
}
