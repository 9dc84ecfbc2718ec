/**
 * A full reading held against an earlier point: what the server says did not change since must be the same.
 *
 * The server is asked for the changes after the full reading has ended, so that everything it may have met is among them. Where neither has a
 * changed page, piece by piece, the ids of the full reading and of the earlier point must be equal. A difference means that a change was
 * not summarised, or that a point was not merged from its changes as it should have been.
 */
import type { ChangedFile, Comparison } from '../../sources/postgres-source.ts';
import { cutsOf } from './cuts.ts';
import type { EarlierFiles } from './earlier-files.ts';

/** A file that was read whole. */
export interface WholeFile {
  readonly size: number;
  /** Ids of its blobs. */
  readonly content: Promise<Uint8Array>;
  /** At which it is cut beyond the earlier cuts. */
  readonly grain: number;
}

const MAX_EXAMPLES = 20;

export async function compareWithEarlier(
  point: string,
  earlier: EarlierFiles,
  full: ReadonlyMap<string, WholeFile>,
  changes: AsyncIterable<ChangedFile>,
): Promise<Comparison> {
  let pages = 0;
  const differences: string[] = [];
  for await (const change of changes) {
    const before = earlier.get(change.path);
    const now = full.get(change.path);
    if (before === undefined || now === undefined) continue;
    const content = await now.content;
    for (const { piece, start, length } of unchangedPieces(
      change,
      before.lengths,
      cutsOf(now.size, now.grain, before.lengths),
    )) {
      pages += length / change.pageSize;
      if (!sameId(content, before.content, piece)) differences.push(`${change.path} at ${start}`);
    }
  }
  return { point, pages, different: differences.length, examples: differences.slice(0, MAX_EXAMPLES) };
}

/** Pieces that both have in the same place and length, and in which nothing changed. */
function* unchangedPieces(
  { blocks, kept, pageSize }: ChangedFile,
  before: Uint32Array,
  now: Uint32Array,
): Generator<{ piece: number; start: number; length: number }> {
  let start = 0;
  let block = 0;
  for (const [piece, length] of now.entries()) {
    const end = start + length;
    const first = block;
    while (block < blocks.length && (blocks[block] as number) * pageSize < end) block++;
    if (first === block && end <= kept && before[piece] === length) yield { piece, start, length };
    start = end;
  }
}

function sameId(a: Uint8Array, b: Uint8Array, piece: number): boolean {
  return Buffer.compare(a.subarray(piece * 32, piece * 32 + 32), b.subarray(piece * 32, piece * 32 + 32)) === 0;
}
