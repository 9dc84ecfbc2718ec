/** Some files of a point, drawn so that every file of every source has the same chance. */
import { isUtf8 } from 'node:buffer';
import type { Id } from '../base/ids.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { type OpenedPoint, pickSources } from './point.ts';

export interface FileSample {
  /** Paths that begin with a source's name. */
  readonly paths: readonly string[];
  /** How many files there are to draw from. */
  readonly outOf: number;
}

/** `random(n)`: a whole number from 0 to n − 1. Every directory of the sources is read. Names that are no text are not drawn. */
export async function sampleFiles(
  indexed: IndexedRepository,
  point: OpenedPoint,
  { sources, size, random }: { sources: readonly string[]; size: number; random: (below: number) => number },
): Promise<FileSample> {
  const drawn: string[] = [];
  let seen = 0;
  for (const { name, subtree } of sources.length === 0 ? [] : pickSources(point, sources)) {
    if (subtree === undefined) continue;
    for await (const path of filePaths(indexed, subtree, name.toString())) {
      seen += 1;
      if (drawn.length < size) drawn.push(path);
      else {
        const at = random(seen);
        if (at < size) drawn[at] = path;
      }
    }
  }
  return { paths: drawn.sort(), outOf: seen };
}

async function* filePaths(indexed: IndexedRepository, tree: Id, above: string): AsyncGenerator<string> {
  const directories: { tree: Id; path: string }[] = [{ tree, path: above }];
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for await (const batch of indexed.streamTree(next.tree)) {
      for (const { name, type, subtree } of batch) {
        if (!isUtf8(name)) continue;
        const path = `${next.path}/${name.toString()}`;
        if (type === 'file') yield path;
        else if (subtree !== undefined) directories.push({ tree: subtree, path });
      }
    }
  }
}
