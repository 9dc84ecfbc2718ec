/**
 * The index files of a run. An index is closed when it is large or old enough, and goes to each storage as soon as that storage has all
 * packs it names: what an interrupted run has stored is then known to the next one and not stored again.
 */
import type { Clock } from '../base/clock.ts';
import type { Id } from '../base/ids.ts';
import { releaseAll } from '../base/release.ts';
import { encodeIndex, type PackEntry, parseIndex } from './format/index-file.ts';
import { encodePackTables, type PackTable } from './format/index-text.ts';
import { decodeUnpackedBytes } from './format/unpacked.ts';
import { objectKey } from './keys.ts';
import type { Repository } from './repository.ts';
import type { UploadQueue } from './upload-queue.ts';

const ID_SIZE = 32;
/** Blobs in one index file. */
const INDEX_BLOBS = 50_000;
/** An index is closed after this time at the latest, in ms. */
const INDEX_AGE = 5 * 60_000;
/** How long the end of a run that failed may take for its last index, in ms. */
const SALVAGE_MS = 10_000;

interface Index {
  readonly id: Id;
  readonly bytes: Uint8Array;
  readonly packs: readonly Id[];
}

export class IndexWriter {
  readonly #repository: Repository;
  readonly #queues: readonly UploadQueue[];
  readonly #clock: Clock;
  /** By storage: the indexes it has not got yet. */
  readonly #missing = new Map<UploadQueue, Set<Index>>();
  #open: PackTable[] = [];
  #blobs = 0;
  #opened: number;

  constructor(repository: Repository, queues: readonly UploadQueue[], clock: Clock) {
    this.#repository = repository;
    this.#queues = queues;
    this.#clock = clock;
    this.#opened = clock.monotonic();
    for (const queue of queues) this.#missing.set(queue, new Set());
  }

  add(pack: PackTable): void {
    if (this.#blobs >= INDEX_BLOBS || this.#clock.monotonic() - this.#opened > INDEX_AGE) this.close();
    this.#open.push(pack);
    this.#blobs += pack.blobIds.length / ID_SIZE;
  }

  /** Seals what was added since the last index; storages get it when they have its packs. */
  close(): void {
    const packs = this.#open;
    this.#open = [];
    this.#blobs = 0;
    this.#opened = this.#clock.monotonic();
    if (packs.length === 0) return;
    const text = encodePackTables(packs);
    const index = { ...this.#repository.sealUnpacked(text), packs: packs.map(({ id }) => id) };
    releaseAll(text);
    for (const queue of this.#queues) {
      this.#missing.get(queue)?.add(index);
      void this.#putWhenDue(queue, index).catch(() => {}); // tried again by `finish`, which tells what is wrong
    }
  }

  /** Gives the storage, which has all packs now, every index it lacks. Throws the storage's failure. */
  async finish(queue: UploadQueue): Promise<void> {
    for (const index of this.#missing.get(queue) ?? []) await this.#put(queue, index, queue.signal);
  }

  /** After a run that failed: indexes what each storage has got of the packs that no index names there yet. Never rejects. */
  async salvage(): Promise<void> {
    this.close();
    const enough = new AbortController();
    const timer = new AbortController();
    void this.#clock.sleep(SALVAGE_MS, timer.signal).then(
      () => enough.abort(),
      () => {},
    );
    const tooLate = new Promise<false>((resolve) =>
      enough.signal.addEventListener('abort', () => resolve(false), { once: true }),
    );
    const work = [...this.#missing].flatMap(([queue, indexes]) =>
      queue.failure === undefined || queue.failure.code === 'interrupted'
        ? [...indexes].map((index) => this.#salvageOne(queue, index, tooLate, enough.signal))
        : [],
    );
    await Promise.allSettled(work);
    timer.abort();
  }

  async #salvageOne(queue: UploadQueue, index: Index, tooLate: Promise<false>, signal: AbortSignal): Promise<void> {
    const held = new Set<Id>();
    for (const pack of index.packs) if (await Promise.race([queue.holds(pack), tooLate])) held.add(pack);
    if (held.size === 0) return;
    if (held.size === index.packs.length) return this.#put(queue, index, signal);
    const packs: PackEntry[] = [];
    parseIndex(decodeUnpackedBytes(this.#repository.openNamed(index.bytes, index.id)), (id, blobs) => {
      if (held.has(id)) packs.push({ id, blobs });
    });
    const { id, bytes } = this.#repository.sealUnpacked(encodeIndex(packs));
    await queue.replica.store.put(objectKey('index', id), bytes, { signal });
  }

  async #putWhenDue(queue: UploadQueue, index: Index): Promise<void> {
    for (const pack of index.packs) if (!(await queue.holds(pack))) return;
    await this.#put(queue, index, queue.signal);
  }

  async #put(queue: UploadQueue, index: Index, signal: AbortSignal): Promise<void> {
    await queue.replica.store.put(objectKey('index', index.id), index.bytes, { signal });
    this.#missing.get(queue)?.delete(index);
  }
}
