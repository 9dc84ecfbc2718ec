/**
 * The memory in which one sealing worker builds packs: used again and again instead of asked for anew. It is shared with the main thread,
 * which says when the storages are done with a pack. Shared memory does not count towards the limits that set the garbage collector to work,
 * and its pages are there already.
 */

/** Packs that may be growing or on their way at once; beyond that a pack has memory of its own. */
const SLOTS = 6;

/** More than was asked for at once, where a pack is larger than usual. */
const SPARE = 64 * 1024;

/** One flag for each slot: whether it is taken. */
export function newPackFlags(): SharedArrayBuffer {
  return new SharedArrayBuffer(SLOTS * Int32Array.BYTES_PER_ELEMENT);
}

/** A place for a pack. `slot` is undefined where the memory belongs to the pack alone. */
export interface PackPlace {
  readonly bytes: Uint8Array;
  readonly slot?: number;
}

/** As the worker sees it. */
export class PackMemory {
  readonly #flags: Int32Array;
  readonly #size: number;
  readonly #slots: (SharedArrayBuffer | undefined)[] = [];

  /** `size`: bytes that an ordinary pack needs at most. */
  constructor(flags: SharedArrayBuffer, size: number) {
    this.#flags = new Int32Array(flags);
    this.#size = size;
  }

  /** A place of at least `size` bytes, filled with anything. */
  take(size: number): PackPlace {
    if (size > this.#size) return { bytes: new Uint8Array(size + SPARE) };
    const slot = this.#flags.findIndex((_, i) => Atomics.compareExchange(this.#flags, i, 0, 1) === 0);
    if (slot < 0) return { bytes: new Uint8Array(this.#size) };
    this.#slots[slot] ??= new SharedArrayBuffer(this.#size);
    return { bytes: new Uint8Array(this.#slots[slot]), slot };
  }

  giveBack({ slot }: PackPlace): void {
    if (slot !== undefined) freeSlot(this.#flags, slot);
  }
}

/** As the main thread sees it: nobody needs the bytes of the pack any more. */
export function freeSlot(flags: Int32Array, slot: number): void {
  Atomics.store(flags, slot, 0);
}
