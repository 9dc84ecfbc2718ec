/**
 * Names blobs: by their SHA-256, or, where a chunk's tag is known from an earlier run, by the id that was computed then. What is hashed and long
 * enough to be tagged is learned.
 */
import { hash } from 'node:crypto';
import { Failure } from '../../base/failure.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import { sha256All } from '../crypto/sha256-lanes.ts';
import { RECORD_SIZE, TagTable } from '../tags/tag-table.ts';
import { TAG_SIZE, TAGGED_FROM, Tagger } from '../tags/tagger.ts';

const ID_SIZE = 32;

/** One of so many chunks with a known tag is hashed all the same, at random. */
const CHECKED = 64;

/** Tags of earlier runs, shared by the threads. */
export interface SharedTags {
  /** See tag-table.ts. */
  readonly records: SharedArrayBuffer;
  /** One Int32, not 0 once a tag was found to name other bytes. */
  readonly wrong: SharedArrayBuffer;
}

export class BlobNamer {
  readonly #tagger: Tagger;
  readonly #known: TagTable | undefined;
  readonly #wrong: Int32Array;
  readonly #isStored: (id: Uint8Array) => boolean;
  #learned = Buffer.alloc(0);
  #learnedLength = 0;

  /** Without `tags` everything is hashed and nothing learned. What is not stored is always hashed: `isStored` tells by the id. */
  constructor(masterKey: MasterKey, tags: SharedTags | undefined, isStored: (id: Uint8Array) => boolean) {
    this.#isStored = isStored;
    this.#tagger = new Tagger(masterKey);
    this.#known = tags && new TagTable(new Uint8Array(tags.records));
    this.#wrong = new Int32Array(tags?.wrong ?? new SharedArrayBuffer(4));
  }

  /** The 32-byte ids of `chunks`, one after the other. Throws `internal` when a tag named other bytes. */
  names(chunks: readonly Uint8Array[]): Buffer {
    if (this.#known === undefined) return sha256All(chunks);
    const ids = Buffer.allocUnsafe(chunks.length * ID_SIZE);
    const strange: { readonly chunk: Uint8Array; readonly tag: Buffer | undefined; readonly at: number }[] = [];
    chunks.forEach((chunk, i) => {
      const tag = chunk.length < TAGGED_FROM ? undefined : this.#tagger.tag(chunk);
      const id = tag && this.#known?.find(tag);
      if (id === undefined || !this.#isStored(id)) strange.push({ chunk, tag, at: i * ID_SIZE });
      else ids.set(this.#checkedNowAndThen(id, chunk), i * ID_SIZE);
    });
    const sums = sha256All(strange.map(({ chunk }) => chunk));
    strange.forEach(({ tag, at }, i) => {
      const id = sums.subarray(i * ID_SIZE, (i + 1) * ID_SIZE);
      ids.set(id, at);
      if (tag) this.#learn(tag, id);
    });
    return ids;
  }

  /** The records learned since the last call, in no order. */
  takeLearned(): Uint8Array {
    const learned = this.#learned.subarray(0, this.#learnedLength);
    this.#learned = Buffer.alloc(0);
    this.#learnedLength = 0;
    return learned;
  }

  #checkedNowAndThen(id: Uint8Array, chunk: Uint8Array): Uint8Array {
    if (Math.random() >= 1 / CHECKED || hash('sha256', chunk, 'buffer').equals(id)) return id;
    Atomics.store(this.#wrong, 0, 1);
    throw new Failure(
      'internal',
      'Content was taken for other content: what was remembered of earlier backups is wrong.',
      {
        hint: 'It is forgotten now. Run the backup again; it will hash everything. Have the memory of this machine tested.',
      },
    );
  }

  #learn(tag: Uint8Array, id: Uint8Array): void {
    if (this.#learnedLength === this.#learned.length) {
      const grown = Buffer.alloc(Math.max(64 * RECORD_SIZE, this.#learned.length * 2));
      grown.set(this.#learned);
      this.#learned = grown;
    }
    this.#learned.set(tag, this.#learnedLength);
    this.#learned.set(id, this.#learnedLength + TAG_SIZE);
    this.#learnedLength += RECORD_SIZE;
  }
}
