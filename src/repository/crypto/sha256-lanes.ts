/**
 * SHA-256 of several messages: four at a time in WebAssembly where they are long and of like length, one by one through the platform's
 * crypto otherwise. The results are the same; tests hold them equal. Measured: docs/performance.md.
 */
import { hash } from 'node:crypto';
import { wasmModule } from '../../base/wasm.ts';

interface Exports {
  lanes(): number;
  state(): number;
  start(): void;
  update(blocks: number): void;
}

const LANES = 4;
const LANE_SIZE = 65_536;
const BLOCK = 64;
/** Shorter messages cost more in copying and calls than the lanes save. */
const WORTHWHILE = 4096;
/** Four lanes take as long as the longest; they win when the others fill them this far, in messages as long as the longest. */
const FULLNESS = 3.2;

const wasm = wasmModule<Exports>(new URL('./sha256-lanes.wasm', import.meta.url))();
const window = new Uint8Array(wasm.memory.buffer, wasm.lanes(), LANES * LANE_SIZE);
const state = new DataView(wasm.memory.buffer, wasm.state(), 8 * LANES * 4);

/** The 32-byte sums of `messages`, one after the other in their order. */
export function sha256All(messages: readonly Uint8Array[]): Buffer {
  const sums = Buffer.allocUnsafe(messages.length * 32);
  const order = messages.map((_, index) => index).sort((a, b) => lengthOf(b) - lengthOf(a));
  const lengthAt = (position: number): number => lengthOf(order[position] as number);
  function lengthOf(index: number): number {
    return (messages[index] as Uint8Array).length;
  }
  for (let at = 0; at < order.length; ) {
    const group = order.slice(at, at + LANES);
    const filled = group.reduce((sum, index) => sum + lengthOf(index), 0);
    if (lengthAt(at) >= WORTHWHILE && filled >= FULLNESS * lengthAt(at)) {
      hashFour(messages, group, sums);
      at += group.length;
    } else {
      const index = order[at] as number;
      sums.set(hash('sha256', messages[index] as Uint8Array, 'buffer'), index * 32);
      at += 1;
    }
  }
  return sums;
}

/** The longest message first. A lane whose message is over runs on with whatever is in the window; its sum was taken before. */
function hashFour(messages: readonly Uint8Array[], group: readonly number[], sums: Buffer): void {
  const tails = group.map((index) => padding((messages[index] as Uint8Array).length));
  const totals = group.map(
    (index, lane) => (messages[index] as Uint8Array).length + (tails[lane] as Uint8Array).length,
  );
  const ends = [...new Set(totals)].sort((a, b) => a - b);
  wasm.start();
  let at = 0;
  for (const end of ends) {
    while (at < end) {
      const size = Math.min(LANE_SIZE, end - at);
      for (const [lane, index] of group.entries()) {
        fill(lane, messages[index] as Uint8Array, tails[lane] as Uint8Array, at, size);
      }
      wasm.update(size / BLOCK);
      at += size;
    }
    group.forEach((index, lane) => {
      if (totals[lane] === end) takeSum(lane, sums, index * 32);
    });
  }
}

/** Puts bytes `at … at + size` of the padded message into its lane, as far as there are any. */
function fill(lane: number, message: Uint8Array, tail: Uint8Array, at: number, size: number): void {
  const place = lane * LANE_SIZE;
  const body = message.subarray(at, at + size);
  window.set(body, place);
  if (body.length < size) {
    const from = Math.max(0, at - message.length);
    window.set(tail.subarray(from, from + size - body.length), place + body.length);
  }
}

/** What follows a message of `length` bytes: a one bit, zeros, its length in bits (FIPS 180-4, 5.1.1). */
function padding(length: number): Uint8Array {
  const tail = new Uint8Array(((length + 9 + BLOCK - 1) & -BLOCK) - length);
  tail[0] = 0x80;
  const view = new DataView(tail.buffer);
  view.setUint32(tail.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(tail.length - 4, (length << 3) >>> 0);
  return tail;
}

function takeSum(lane: number, sums: Buffer, offset: number): void {
  for (let word = 0; word < 8; word++)
    sums.writeUInt32BE(state.getUint32((word * LANES + lane) * 4, true), offset + word * 4);
}
