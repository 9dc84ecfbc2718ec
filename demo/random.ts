/** Numbers that look random and are the same for the same seed, on every machine: the clinic can be made again exactly. */

export interface Random {
  /** A number from 0 (included) to 1 (excluded). */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  /** Fills `bytes` with noise. */
  fill(bytes: Uint8Array): void;
}

/** One stream of numbers for each combination of `parts`: what is drawn for one purpose does not move what is drawn for another. */
export function random(...parts: readonly (string | number)[]): Random {
  const draw = xoshiro128(seedWords(parts.join('/')));
  const next = () => draw() / 2 ** 32;
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    pick: (items) => items[between(0, items.length - 1)]!,
    chance: (probability) => next() < probability,
    fill: (bytes) => {
      for (let at = 0; at < bytes.length; at += 4) {
        const word = draw();
        for (let byte = 0; byte < 4; byte++) bytes[at + byte] = word >>> (byte * 8);
      }
    },
  };
}

/** xoshiro128** by Blackman and Vigna, https://prng.di.unimi.it/xoshiro128starstar.c (public domain). 32 bits a call. */
function xoshiro128(state: Uint32Array): () => number {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  return () => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  };
}

/** Four words, not all zero, from a text: FNV-1a with four different beginnings, each mixed by MurmurHash3's finalizer. */
function seedWords(text: string): Uint32Array {
  return Uint32Array.from([1, 2, 3, 4], (which) => {
    let hash = Math.imul(0x811c9dc5, which);
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16) ^ which) >>> 0 || which;
  });
}
