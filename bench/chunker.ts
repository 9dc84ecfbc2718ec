/**
 * The chunker alone: speed, sizes, and what a second backup stores again after small edits.
 *
 *   node bench/chunker.ts [FILE…]      128 MiB of random bytes, then each file
 */
import { createCipheriv, hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { Chunker } from '../src/repository/chunker/chunker.ts';

const MIB = 1024 * 1024;
const EDITS = 20;
const NORMAL_SIZES = [768, 1024, 1280];

/** Ends of the chunks of `bytes`. */
function cuts(bytes: Uint8Array, normalSize: number): number[] {
  const chunker = new Chunker({ normalSize });
  const ends: number[] = [];
  for (let start = 0; start < bytes.length; ) {
    const window = bytes.subarray(start, start + chunker.buffer.length);
    const last = start + window.length === bytes.length;
    chunker.buffer.set(window);
    let at = 0;
    for (let cut = chunker.cut(0, window.length, last); cut !== 0; cut = chunker.cut(at, window.length, last)) {
      ends.push(start + cut);
      at = cut;
      if (at === window.length) break;
    }
    start += at;
  }
  return ends;
}

function blobIds(bytes: Uint8Array, ends: readonly number[]): Map<string, number> {
  const ids = new Map<string, number>();
  let start = 0;
  for (const end of ends) {
    ids.set(hash('md5', bytes.subarray(start, end)), end - start);
    start = end;
  }
  return ids;
}

/** `bytes` with `EDITS` places changed: up to 100 bytes put in, taken out or both. The same places for the same `seed`. */
function edited(bytes: Uint8Array, seed: number): Buffer {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const places = Array.from({ length: EDITS }, () => below(bytes.length)).sort((a, b) => a - b);
  const parts: Uint8Array[] = [];
  let done = 0;
  for (const place of places) {
    if (place < done) continue;
    const kind = below(3);
    parts.push(bytes.subarray(done, place));
    if (kind < 2) parts.push(Buffer.alloc(1 + below(100), below(256)));
    done = Math.min(bytes.length, place + (kind > 0 ? 1 + below(100) : 0));
  }
  return Buffer.concat([...parts, bytes.subarray(done)]);
}

function measure(label: string, bytes: Uint8Array, normalKib: number): void {
  const normalSize = normalKib * 1024;
  let fastest = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < 3; pass++) {
    const begin = systemClock.monotonic();
    cuts(bytes, normalSize);
    fastest = Math.min(fastest, systemClock.monotonic() - begin);
  }
  const ends = cuts(bytes, normalSize);
  const known = blobIds(bytes, ends);
  let again = 0;
  for (const seed of [777, 4242, 99]) {
    const second = edited(bytes, seed);
    for (const [id, size] of blobIds(second, cuts(second, normalSize))) if (!known.has(id)) again += size / 3;
  }
  const figures = [
    `${(bytes.length / fastest / 1000).toFixed(0)} MB/s`,
    `mean ${(bytes.length / ends.length / MIB).toFixed(2)} MiB`,
    `stored again after ${EDITS} edits: ${(again / MIB).toFixed(1)} MiB`,
  ];
  console.log(`${label}, normal size ${normalKib} KiB: ${figures.join(', ')}`);
}

const random = createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), Buffer.alloc(16)).update(Buffer.alloc(128 * MIB));
const inputs: [string, Uint8Array][] = process.argv.slice(2).map((path) => [basename(path), readFileSync(path)]);
for (const [label, bytes] of [['128 MiB random', random] as const, ...inputs]) {
  for (const size of NORMAL_SIZES) measure(label, bytes, size);
}
