import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as later } from 'node:timers/promises';
import { systemClock } from '../../base/clock.ts';
import { forward } from '../../storage/forward.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { type MemoryStore, memoryStore } from '../../storage/testing/memory-store.ts';
import { namePiece, parsePieceKey, pieceKey } from '../piece.ts';
import type { Parcel } from './parcel.ts';
import { StorageQueue } from './storage-queue.ts';

const MIB = 1024 * 1024;
const BYTES = Buffer.from('a piece');

/** Holds puts back while it is shut. */
class Gate {
  readonly memory: MemoryStore = memoryStore();
  readonly store: ObjectStore;
  readonly #held = new Map<string, () => void>();
  isShut = false;

  constructor() {
    this.store = {
      ...forward(this.memory),
      put: async (key, bytes, options) => {
        if (this.isShut) await new Promise<void>((resolve) => this.#held.set(nameOf(key), resolve));
        await this.memory.put(key, bytes, options);
      },
    };
  }

  /** What is on its way, by place in the log. */
  get underWay(): readonly string[] {
    return [...this.#held.keys()].sort();
  }

  get stored(): readonly string[] {
    return [...this.memory.objects.keys()].map(nameOf).sort();
  }

  letGo(name: string): void {
    this.#held.get(name)?.();
    this.#held.delete(name);
  }

  open(): void {
    this.isShut = false;
    for (const name of this.underWay) this.letGo(name);
  }
}

/** `1-1.5`: the first half of the second MiB. */
function nameOf(key: string): string {
  const { start = 0n, end = 0n } = parsePieceKey(key) ?? {};
  return `${Number(start) / MIB}-${Number(end) / MIB}`;
}

function queueTo(gate: Gate): { queue: StorageQueue; add(from: number, to: number): Promise<void> } {
  const signal = new AbortController().signal;
  const queue = new StorageQueue({ store: gate.store, clock: systemClock, signal, onChange: () => {} });
  queue.begin(1, 0n, undefined);
  let number = 0;
  const add = async (from: number, to: number) => {
    number += 1;
    queue.add(parcel(number, from * MIB, to * MIB, to - from === 1));
    for (let turn = 0; turn < 5; turn++) await later(); // what can begin has begun
  };
  return { queue, add };
}

function parcel(number: number, start: number, end: number, replaces: boolean): Parcel {
  const commits = { firstCommit: undefined, lastCommit: undefined };
  const place = { start: BigInt(start), end: BigInt(end), segmentSize: MIB, systemIdentifier: '7', timeline: 1 };
  const span = { ...place, ...commits };
  const load = async () => ({ key: pieceKey(namePiece(span, BYTES)), bytes: BYTES });
  return { number, span, replaces, load, stored: () => {} };
}

test('three pieces are on their way at once, and each that is stored lets the next one go', async () => {
  const gate = new Gate();
  const { queue, add } = queueTo(gate);
  gate.isShut = true;
  for (const segment of [0, 1, 2, 3, 4]) await add(segment, segment + 1);
  assert.deepEqual(gate.underWay, ['0-1', '1-2', '2-3']);
  gate.letGo('1-2');
  await add(5, 6);
  assert.deepEqual(gate.underWay, ['0-1', '2-3', '3-4']);
  assert.equal(queue.end(1), 0n, 'there is a hole before what is stored');
  gate.open();
  await queue.settled();
  assert.equal(queue.end(1), BigInt(6 * MIB));
});

test('new slices overtake whole segments that the storage has in slices, and one place is kept for them', async () => {
  const gate = new Gate();
  const { queue, add } = queueTo(gate);
  for (const at of [0, 1, 2]) {
    await add(at, at + 0.5);
    await add(at + 0.5, at + 1);
  }
  await queue.settled();
  gate.isShut = true;
  for (const at of [0, 1, 2]) await add(at, at + 1);
  assert.deepEqual(gate.underWay, ['0-1', '1-2']);
  await add(3, 3.5);
  assert.deepEqual(gate.underWay, ['0-1', '1-2', '3-3.5']);
  gate.letGo('3-3.5');
  await add(3.5, 3.75);
  assert.deepEqual(gate.underWay, ['0-1', '1-2', '3.5-3.75']);
  assert.equal(queue.end(1), BigInt(3.5 * MIB));
  gate.open();
  await queue.settled();
  assert.deepEqual(gate.stored, ['0-1', '1-2', '2-3', '3-3.5', '3.5-3.75']);
});

test('a whole segment waits for nothing when a part of it is in no slice', async () => {
  const gate = new Gate();
  const { queue, add } = queueTo(gate);
  await add(0, 0.5);
  gate.isShut = true;
  for (const at of [0, 1, 2]) await add(at, at + 1);
  assert.deepEqual(gate.underWay, ['0-1', '1-2', '2-3']);
  gate.open();
  await queue.settled();
});
