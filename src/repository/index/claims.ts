/**
 * Which thread stores a new blob: the first one to claim its id. Shared memory, lock-free, filled in segments of doubling size; the
 * memory is reserved at once (about 1.2 GiB of address space) and touched only as segments come into use.
 *
 * A blob may in rare races be claimed twice (while a segment fills up); that costs a duplicate in the repository and nothing else.
 */

const FIRST_SLOTS = 2 ** 18;
const SEGMENTS = 7;
const EMPTY = 0;
const WRITING = 1;
/** From here on a state is `READY` for data and `READY + 1` for tree blobs. */
const READY = 2;
const MAX_LOAD = 0.7;

export type ClaimsBuffer = SharedArrayBuffer;

const segmentStart = (segment: number): number => FIRST_SLOTS * (2 ** segment - 1);
const SLOT_WORDS = 9;
const HEADER_WORDS = SEGMENTS;

function bytesFor(segments: number): number {
  return (HEADER_WORDS + segmentStart(segments) * SLOT_WORDS) * 4;
}

export function newClaims(): ClaimsBuffer {
  return new SharedArrayBuffer(bytesFor(SEGMENTS));
}

export class Claims {
  readonly #words: Int32Array;
  readonly #wanted = new Int32Array(8);
  readonly #wantedBytes = new Uint8Array(this.#wanted.buffer);

  constructor(buffer: ClaimsBuffer) {
    this.#words = new Int32Array(buffer);
  }

  /** True for the first caller with this id and type, in whichever thread. */
  claim(isTree: boolean, id: Uint8Array): boolean {
    this.#wantedBytes.set(id.subarray(0, 32));
    const ready = isTree ? READY + 1 : READY;
    for (let segment = 0; segment < SEGMENTS; segment++) {
      const slots = FIRST_SLOTS * 2 ** segment;
      const open = segment === SEGMENTS - 1 || Atomics.load(this.#words, segment) < slots * MAX_LOAD;
      const outcome = this.#visit(segment, slots, ready, open);
      if (outcome !== 'absent') return outcome === 'claimed';
    }
    throw new RangeError('too many new blobs in one run');
  }

  #visit(segment: number, slots: number, ready: number, open: boolean): 'claimed' | 'taken' | 'absent' {
    const words = this.#words;
    const start = segmentStart(segment);
    let slot = Math.floor((((this.#wanted[0] as number) >>> 0) / 4294967296) * slots);
    for (let probes = 0; probes < slots; probes++) {
      const at = HEADER_WORDS + (start + slot) * SLOT_WORDS;
      let state = Atomics.load(words, at);
      if (state === EMPTY) {
        if (!open) return 'absent';
        state = Atomics.compareExchange(words, at, EMPTY, WRITING);
        if (state === EMPTY) {
          for (let i = 0; i < 8; i++) words[at + 1 + i] = this.#wanted[i] as number;
          Atomics.store(words, at, ready);
          Atomics.add(words, segment, 1);
          return 'claimed';
        }
      }
      while (state === WRITING) state = Atomics.load(words, at);
      if (state === ready && this.#equals(at + 1)) return 'taken';
      if (++slot === slots) slot = 0;
    }
    return 'absent';
  }

  #equals(at: number): boolean {
    for (let i = 0; i < 8; i++) if (this.#words[at + i] !== this.#wanted[i]) return false;
    return true;
  }
}
