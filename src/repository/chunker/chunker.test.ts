import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Chunker, type ChunkerOptions } from './chunker.ts';
import { gearReference } from './gear-reference.ts';
import { gearTable } from './gear-table.ts';

const SMALL = { minSize: 128, normalSize: 512, maxSize: 4096 };

/** Lengths of the chunks of `bytes`, given to the chunker in pieces of `piece` bytes as a caller would. */
function chunkLengths(bytes: Uint8Array, options: ChunkerOptions, piece = Number.POSITIVE_INFINITY): number[] {
  const chunker = new Chunker(options);
  const lengths: number[] = [];
  let [read, start, end] = [0, 0, 0];
  for (;;) {
    const room = Math.min(chunker.buffer.length - end, bytes.length - read, piece);
    chunker.buffer.set(bytes.subarray(read, read + room), end);
    read += room;
    end += room;
    const last = read === bytes.length;
    if (last && start === end) return lengths;
    for (let cut = chunker.cut(start, end, last); cut !== 0; cut = start < end ? chunker.cut(start, end, last) : 0) {
      lengths.push(cut - start);
      start = cut;
    }
    chunker.buffer.copyWithin(0, start, end);
    end -= start;
    start = 0;
  }
}

/** Bytes that are the same in every run: the key stream of a hash. */
function steadyBytes(size: number, label = 'steady'): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < size; i++) parts.push(createHash('sha256').update(`${label} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + length, 0);
}

test('the chunker cuts where its reference cuts', () => {
  const seed = randomBytes(32);
  for (const bytes of [
    randomBytes(60_000),
    Buffer.alloc(20_000),
    Buffer.alloc(30_000, 'abcdefghij'),
    randomBytes(127),
  ]) {
    assert.deepEqual(chunkLengths(bytes, SMALL), gearReference(bytes, SMALL));
    assert.deepEqual(chunkLengths(bytes, { ...SMALL, seed }), gearReference(bytes, { ...SMALL, seed }));
  }
});

test('the pieces in which bytes arrive do not matter', () => {
  const bytes = randomBytes(40_000);
  const whole = chunkLengths(bytes, SMALL);
  for (const piece of [1, 63, 1000, 4096, 5000]) assert.deepEqual(chunkLengths(bytes, SMALL, piece), whole);
});

test('sizes keep their bounds, and nothing is lost', () => {
  const bytes = randomBytes(300_000);
  const lengths = chunkLengths(bytes, SMALL);
  assert.equal(sum(lengths), bytes.length);
  assert.ok(lengths.slice(0, -1).every((length) => length >= SMALL.minSize && length <= SMALL.maxSize));
  assert.deepEqual(chunkLengths(new Uint8Array(0), SMALL), []);
  assert.deepEqual(chunkLengths(randomBytes(50), SMALL), [50]);
});

/** Of the default seed; worked out with the reference. */
const EXPECTED_FIRST_ENTRY = 15466845856255498711n;
const EXPECTED_SMALL = [802, 621, 843, 655, 499, 618, 593, 561, 815, 1342, 735, 162, 550, 759, 445];
const EXPECTED_DEFAULT = [621646, 1274873, 1275914, 1585683, 2295440, 692752, 253692];

test('cuts stay where they are for ever: another table would end deduplication with what is stored', () => {
  assert.equal(gearTable()[0], EXPECTED_FIRST_ENTRY);
  assert.deepEqual(chunkLengths(steadyBytes(10_000), SMALL), EXPECTED_SMALL);
  assert.deepEqual(chunkLengths(steadyBytes(8_000_000), {}), EXPECTED_DEFAULT);
});

test('an insertion moves no cut but those around it', () => {
  const bytes = randomBytes(200_000);
  const edited = Buffer.concat([bytes.subarray(0, 100_000), Buffer.from('!'), bytes.subarray(100_000)]);
  const ends = (lengths: readonly number[], shift: number) => {
    let end = 0;
    return new Set(
      lengths.map((length) => {
        end += length;
        return end - shift;
      }),
    );
  };
  const before = ends(chunkLengths(bytes, SMALL), 0);
  const after = ends(chunkLengths(edited, SMALL), 1);
  const kept = [...before].filter((end) => end > 100_000 && after.has(end)).length;
  const all = [...before].filter((end) => end > 100_000).length;
  assert.ok(kept >= all - 20, `${kept} of ${all} cuts kept`);
});

test('another seed cuts elsewhere', () => {
  const bytes = randomBytes(50_000);
  const lengths = [randomBytes(32), randomBytes(32)].map((seed) => chunkLengths(bytes, { ...SMALL, seed }).join());
  assert.notEqual(lengths[0], lengths[1]);
  assert.notEqual(lengths[0], chunkLengths(bytes, SMALL).join());
});

test('chunkers side by side do not disturb each other', () => {
  const [a, b] = [new Chunker(SMALL), new Chunker({ ...SMALL, seed: randomBytes(32) })];
  const bytes = randomBytes(4096);
  a.buffer.set(bytes);
  b.buffer.fill(0);
  assert.equal(a.cut(0, 4096, true), gearReference(bytes, SMALL)[0]);
});

test('sizes that make no sense are refused', () => {
  for (const options of [
    { minSize: 63 },
    { minSize: 1000, normalSize: 999 },
    { normalSize: 1000, maxSize: 999, minSize: 64 },
    { seed: new Uint8Array(31) },
    { minSize: Number.NaN },
  ]) {
    assert.throws(() => new Chunker(options), RangeError);
  }
});
