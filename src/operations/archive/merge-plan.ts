/**
 * How a file is made from its earlier content and its changes: stretches that are taken over, and pieces that are put together anew. Pure
 * calculation.
 */
import type { FileChanges } from '../../sources/entry.ts';
import { cutsOf } from './cuts.ts';

export type MergeStep =
  /** The pieces `from` to before `to` of the earlier content, as they are. */
  | { readonly kind: 'keep'; readonly from: number; readonly to: number }
  | {
      readonly kind: 'build';
      /** Bytes in the file. */
      readonly start: number;
      readonly end: number;
      /** The earlier piece that begins at `start`, where some of it is needed: its first `keep` bytes. */
      readonly piece: number | undefined;
      readonly keep: number;
      /** How many of the changed pages, in their order, belong here. */
      readonly pages: number;
    };

export interface MergeInput {
  readonly earlier: { readonly size: number; readonly lengths: Uint32Array };
  readonly changes: Pick<FileChanges, 'blocks' | 'kept' | 'pageSize'>;
  /** Bytes of the file as it is now. */
  readonly size: number;
  readonly grain: number;
  /** Whether a piece can be taken over as it stands in the storages. */
  readonly isHeld: (piece: number) => boolean;
}

export function planMerge({ earlier, changes, size, grain, isHeld }: MergeInput): MergeStep[] {
  const { blocks, pageSize } = changes;
  const kept = Math.min(changes.kept, earlier.size);
  const steps: MergeStep[] = [];
  let start = 0;
  let block = 0;
  for (const [piece, length] of cutsOf(size, grain, earlier.lengths).entries()) {
    const end = start + length;
    const first = block;
    while (block < blocks.length && (blocks[block] as number) * pageSize < end) block++;
    const pages = block - first;
    const isSame = pages === 0 && end <= kept && earlier.lengths[piece] === length;
    if (isSame && isHeld(piece)) keepPiece(steps, piece);
    else {
      const keep = Math.max(Math.min(end, kept) - start, 0);
      const covered = pagesBelow(blocks, first, block, (start + keep) / pageSize);
      const isNeeded = covered * pageSize < keep;
      steps.push({ kind: 'build', start, end, piece: isNeeded ? piece : undefined, keep: isNeeded ? keep : 0, pages });
    }
    start = end;
  }
  return steps;
}

function keepPiece(steps: MergeStep[], piece: number): void {
  const last = steps.at(-1);
  if (last?.kind === 'keep') steps[steps.length - 1] = { ...last, to: piece + 1 };
  else steps.push({ kind: 'keep', from: piece, to: piece + 1 });
}

function pagesBelow(blocks: Uint32Array, from: number, to: number, limit: number): number {
  let count = 0;
  for (let i = from; i < to && (blocks[i] as number) < limit; i++) count++;
  return count;
}
