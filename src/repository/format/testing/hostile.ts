/** Hostile input for the decoders' tests: damaged forms of something valid, the same ones in every run. */
import { Failure } from '../../../base/failure.ts';

/** A small generator of numbers below `limit` (mulberry32): repeatable, which a fuzz test must be to be of use. */
export function numbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** `count` damaged copies of `valid`: bytes changed, cut out, doubled, cut off; and as many pieces of noise. */
export function* damagedCopies(valid: Uint8Array, count: number, seed = 1): Generator<Buffer> {
  const below = numbers(seed);
  const noise = (size: number) => Buffer.from(Array.from({ length: size }, () => below(256)));
  for (let i = 0; i < count; i++) {
    const from = below(valid.length + 1);
    const to = Math.min(valid.length, from + below(20));
    const [head, middle, tail] = [valid.subarray(0, from), valid.subarray(from, to), valid.subarray(to)];
    yield Buffer.concat([head, noise(middle.length), tail]);
    yield Buffer.concat([head, tail]);
    yield Buffer.concat([head, middle, middle, tail]);
    yield Buffer.concat([head, Buffer.from('"{}[],:\\0'.charAt(below(9))), tail]);
    yield Buffer.from(head);
    yield noise(below(64));
  }
}

/** Runs `decode`; a Failure is the right answer to damage, anything else that is thrown is not. */
export function decodesOrRefuses(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
  }
}
