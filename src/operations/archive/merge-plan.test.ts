/** Plans carried out in memory, held against the rule itself: page by page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutsOf } from './cuts.ts';
import { type MergeInput, planMerge } from './merge-plan.ts';

const PAGE = 8;

/** Numbers below `below` that depend on the seed only. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >>> 8) % below;
  };
}

interface Case extends Omit<MergeInput, 'isHeld'> {
  readonly old: Uint8Array;
  readonly newPages: readonly Uint8Array[];
}

function randomCase(seed: number): Case {
  const random = randomFrom(seed);
  const grain = PAGE * [1, 2, 4][random(3)]!;
  const oldPages = random(40);
  const old = Uint8Array.from({ length: oldPages * PAGE }, (_, i) => 1 + ((i / PAGE) | 0));
  // earlier cuts by another grain, or by several
  const lengths: number[] = [];
  for (let at = 0; at < old.length; at += lengths.at(-1)!)
    lengths.push(Math.min((1 + random(6)) * PAGE, old.length - at));
  const truncation = random(50);
  const blocks = Uint32Array.from({ length: 50 }, (_, i) => i).filter(() => random(5) === 0);
  const pages = Math.max(truncation, (blocks.at(-1) ?? -1) + 1);
  const kept = Math.min(truncation, random(60)) * PAGE;
  return {
    old,
    earlier: { size: old.length, lengths: Uint32Array.from(lengths) },
    changes: { blocks, kept, pageSize: PAGE },
    size: pages * PAGE,
    grain,
    newPages: [...blocks].map((block) => new Uint8Array(PAGE).fill(200 + (block % 50))),
  };
}

/** The rule: a page that was sent is new, one that is kept is old, the others are zeros. */
function byTheRule({ old, changes, size, newPages }: Case): Uint8Array {
  const file = new Uint8Array(size);
  file.set(old.subarray(0, Math.min(changes.kept, size)));
  for (const [i, block] of [...changes.blocks].entries()) file.set(newPages[i]!, block * PAGE);
  return file;
}

function byThePlan(input: Case, isHeld: (piece: number) => boolean): Uint8Array {
  const file = new Uint8Array(input.size).fill(255);
  const starts = [0];
  for (const length of input.earlier.lengths) starts.push(starts.at(-1)! + length);
  const pages = [...input.newPages];
  let block = 0;
  let at = 0;
  for (const step of planMerge({ ...input, isHeld })) {
    if (step.kind === 'keep') {
      assert.equal(at, starts[step.from]);
      file.set(input.old.subarray(starts[step.from]!, starts[step.to]!), at);
      at = starts[step.to]!;
      continue;
    }
    assert.equal(step.start, at);
    const piece = new Uint8Array(step.end - step.start);
    if (step.piece !== undefined) {
      assert.equal(starts[step.piece], step.start);
      piece.set(input.old.subarray(step.start, starts[step.piece + 1]!).subarray(0, step.keep));
    }
    for (let i = 0; i < step.pages; i++) piece.set(pages.shift()!, input.changes.blocks[block++]! * PAGE - step.start);
    file.set(piece, at);
    at = step.end;
  }
  assert.equal(at, input.size);
  assert.equal(pages.length, 0);
  return file;
}

test('whatever changed, was cut short or grew: the plan makes what the rule says', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const input = randomCase(seed);
    const expected = byTheRule(input);
    assert.deepEqual(
      byThePlan(input, () => true),
      expected,
      `seed ${seed}`,
    );
    assert.deepEqual(
      byThePlan(input, (piece) => piece % 2 === 0),
      expected,
      `seed ${seed}, pieces missing`,
    );
  }
});

test('an unchanged file is taken over in one step, and nothing is fetched for pieces that are wholly new', () => {
  const earlier = { size: 32, lengths: Uint32Array.of(16, 16) };
  const plan = (blocks: number[]) =>
    planMerge({
      earlier,
      changes: { blocks: Uint32Array.from(blocks), kept: 32, pageSize: PAGE },
      size: 32,
      grain: 16,
      isHeld: () => true,
    });
  assert.deepEqual(plan([]), [{ kind: 'keep', from: 0, to: 2 }]);
  assert.deepEqual(plan([2, 3]), [
    { kind: 'keep', from: 0, to: 1 },
    { kind: 'build', start: 16, end: 32, piece: undefined, keep: 0, pages: 2 },
  ]);
  assert.deepEqual(plan([3])[1], { kind: 'build', start: 16, end: 32, piece: 1, keep: 16, pages: 1 });
});

test('cuts stay where they were; a file that grew grows to the next multiple of the grain', () => {
  assert.deepEqual([...cutsOf(40, 16)], [16, 16, 8]);
  assert.deepEqual([...cutsOf(40, 16, Uint32Array.of(8, 16))], [8, 24, 8]);
  assert.deepEqual([...cutsOf(24, 16, Uint32Array.of(8, 16))], [8, 16]);
  assert.deepEqual([...cutsOf(20, 16, Uint32Array.of(8, 16))], [8, 12]);
  assert.deepEqual([...cutsOf(0, 16, Uint32Array.of(8, 16))], []);
  assert.deepEqual([...cutsOf(64, 8, Uint32Array.of(32))], [32, 8, 8, 8, 8]);
});
