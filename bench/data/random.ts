/** Numbers and bytes that look random and are the same for the same seed. */
import { createCipheriv, hash } from 'node:crypto';

/** A small generator of numbers from 0 to below 1 (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `size` bytes that no program can compress: a key stream named by `seed`. */
export function randomBytesOf(seed: string, size: number): Buffer {
  const key = hash('sha256', seed, 'buffer').subarray(0, 16);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

const SYLLABLES = [
  'ba',
  'cor',
  'den',
  'el',
  'fi',
  'gra',
  'hos',
  'in',
  'ka',
  'lum',
  'ner',
  'or',
  'pa',
  'ris',
  'so',
  'ta',
];

/** Prose-like text of `size` bytes: words of a vocabulary of 4,096, frequent ones more often, lines of a log or a note. */
export function textOf(seed: number, size: number): Buffer {
  const next = numbers(seed);
  const words: string[] = [];
  for (let length = 0; length < size; ) {
    const rank = Math.floor(next() ** 3 * 4096);
    const word = [rank & 15, (rank >> 4) & 15, rank >> 8].map((part) => SYLLABLES[part]).join('');
    words.push(next() < 0.1 ? `${word} ${Math.floor(next() * 100_000)}.\n` : `${word} `);
    length += (words.at(-1) as string).length;
  }
  return Buffer.from(words.join('')).subarray(0, size);
}
