/**
 * SHA-256 of several messages: four at a time in WebAssembly where they are long, each lane taking the next message when its own is over; one
 * by one through the platform's crypto otherwise. The results are the same; tests hold them equal. Measured: docs/performance.md.
 */
import { hash } from 'node:crypto';
import { wasmModule } from '../../base/wasm.ts';

interface Exports {
  lanes(): number;
  state(): number;
  update(blocks: number): void;
}

const LANES = 4;
const LANE_SIZE = 65_536;
const BLOCK = 64;
/** Shorter messages cost more in copying and calls than the lanes save. */
const WORTHWHILE = 4096;
/** All lanes take as long as the longest: where less than this part of them would be filled, one message after the other is faster. */
const FULLNESS = 0.8;
/** FIPS 180-4, 5.3.3. */
const INITIAL = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

const wasm = wasmModule<Exports>(new URL('./sha256-lanes.wasm', import.meta.url))();
const window = new Uint8Array(wasm.memory.buffer, wasm.lanes(), LANES * LANE_SIZE);
const state = new DataView(wasm.memory.buffer, wasm.state(), INITIAL.length * LANES * 4);

/** The 32-byte sums of `messages`, one after the other in their order. */
export function sha256All(messages: readonly Uint8Array[]): Buffer {
  const sums = Buffer.allocUnsafe(messages.length * 32);
  const jobs = messages.map((message, index) => ({ message, offset: index * 32 }));
  const long = jobs.filter(({ message }) => message.length >= WORTHWHILE);
  long.sort((a, b) => b.message.length - a.message.length);
  const first = long.findIndex((_, i) => fullness(long, i) >= FULLNESS);
  const together = new Set(first < 0 ? [] : long.slice(first));
  for (const job of jobs) if (!together.has(job)) sums.set(hash('sha256', job.message, 'buffer'), job.offset);
  hashTogether(together.values(), sums);
  return sums;
}

interface Job {
  readonly message: Uint8Array;
  /** Of its sum. */
  readonly offset: number;
}

/** How full the lanes would be with `jobs[from…]`, the longest first. */
function fullness(jobs: readonly Job[], from: number): number {
  const lanes = new Float64Array(LANES);
  let sum = 0;
  for (let i = from; i < jobs.length; i++) {
    const { length } = (jobs[i] as Job).message;
    const least = lanes.indexOf(Math.min(...lanes));
    lanes[least] = (lanes[least] as number) + length;
    sum += length;
  }
  return sum / (LANES * Math.max(...lanes));
}

/** A message on its way through a lane. */
interface Passage extends Job {
  readonly tail: Uint8Array;
  /** Bytes taken, of the message and its tail. */
  at: number;
}

/** Each lane takes the next job when it is done with one, until there are no more; the lanes without any run on over what is in the window. */
function hashTogether(waiting: Iterator<Job, undefined>, sums: Buffer): void {
  const lanes = Array.from({ length: LANES }, (_, lane) => begin(lane, waiting.next().value));
  for (;;) {
    const busy = lanes.filter((passage) => passage !== undefined);
    if (busy.length === 0) return;
    const size = Math.min(LANE_SIZE, ...busy.map(left));
    lanes.forEach((passage, lane) => {
      if (passage !== undefined) fill(lane, passage, size);
    });
    wasm.update(size / BLOCK);
    lanes.forEach((passage, lane) => {
      if (passage === undefined || left(passage) > 0) return;
      takeSum(lane, sums, passage.offset);
      lanes[lane] = begin(lane, waiting.next().value);
    });
  }
}

function begin(lane: number, job: Job | undefined): Passage | undefined {
  if (job === undefined) return undefined;
  INITIAL.forEach((word, i) => {
    state.setUint32((i * LANES + lane) * 4, word, true);
  });
  return { ...job, tail: padding(job.message.length), at: 0 };
}

function left({ message, tail, at }: Passage): number {
  return message.length + tail.length - at;
}

/** Puts the next `size` bytes of the padded message into its lane. */
function fill(lane: number, passage: Passage, size: number): void {
  const { message, tail, at } = passage;
  const place = lane * LANE_SIZE;
  const body = message.subarray(at, at + size);
  window.set(body, place);
  if (body.length < size) {
    const from = Math.max(0, at - message.length);
    window.set(tail.subarray(from, from + size - body.length), place + body.length);
  }
  passage.at += size;
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
  for (let word = 0; word < INITIAL.length; word++)
    sums.writeUInt32BE(state.getUint32((word * LANES + lane) * 4, true), offset + word * 4);
}
