/** Rows that name files, checked against the files of the same point. */

import type { Id } from '../../base/ids.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../../postgres/connection-settings.ts';
import { SqlSession } from '../../postgres/sql.ts';
import type { ReferenceCheck } from '../../recovery/manifest.ts';
import type { TreeSource } from '../../repository/trees.ts';

const EXAMPLES = 100;
const MAX_QUERY_MS = 10 * 60_000;

export interface ReferenceQuery {
  readonly query: string;
  /** The files source whose files the rows name, relative to its root. */
  readonly source: string;
  readonly url: string;
}

/**
 * Streams the query's first column and looks each path up in the tree. The rows are read after the copy of the database, so a row written
 * since may count as missing although the point is whole; a row deleted since is not seen.
 */
export async function checkReferences(
  reference: ReferenceQuery,
  root: Id,
  trees: TreeSource,
  signal: AbortSignal,
): Promise<ReferenceCheck> {
  const lookup = new PathLookup(root, trees);
  const settings: ConnectionSettings = parseConnectionUrl(reference.url);
  await using sql = await SqlSession.open(settings, { signal, statementTimeoutMs: MAX_QUERY_MS });
  await sql.run('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  let rows = 0;
  let missing = 0;
  const missingExamples: string[] = [];
  for await (const [path] of sql.stream(reference.query, 'The references query')) {
    if (path === null || path === undefined || path === '') continue;
    rows++;
    if (await lookup.has(path)) continue;
    missing++;
    if (missingExamples.length < EXAMPLES) missingExamples.push(path);
  }
  return { query: reference.query, source: reference.source, rows, missing, missingExamples };
}

interface Directory {
  readonly names: ReadonlySet<string>;
  readonly subtrees: ReadonlyMap<string, Id>;
}

/** Directories kept for the next rows; rows of one query tend to name files of few directories. */
const CACHED_DIRECTORIES = 64;

class PathLookup {
  readonly #root: Id;
  readonly #trees: TreeSource;
  readonly #cache = new Map<Id, Directory>();

  constructor(root: Id, trees: TreeSource) {
    this.#root = root;
    this.#trees = trees;
  }

  async has(path: string): Promise<boolean> {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const name = parts.pop();
    if (name === undefined) return false;
    let tree: Id | undefined = this.#root;
    for (const part of parts) {
      tree = (await this.#directory(tree)).subtrees.get(part);
      if (tree === undefined) return false;
    }
    return (await this.#directory(tree)).names.has(name);
  }

  async #directory(tree: Id): Promise<Directory> {
    const known = this.#cache.get(tree);
    if (known !== undefined) {
      this.#cache.delete(tree);
      this.#cache.set(tree, known);
      return known;
    }
    const names = new Set<string>();
    const subtrees = new Map<string, Id>();
    for await (const batch of this.#trees.streamTree(tree)) {
      for (const node of batch) {
        const name = node.name.toString('utf8');
        names.add(name);
        if (node.subtree !== undefined) subtrees.set(name, node.subtree);
      }
    }
    const directory = { names, subtrees };
    this.#cache.set(tree, directory);
    const oldest = this.#cache.keys().next();
    if (this.#cache.size > CACHED_DIRECTORIES && !oldest.done) this.#cache.delete(oldest.value);
    return directory;
  }
}
