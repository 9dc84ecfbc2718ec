/**
 * Writes one restore point to all storages: sealed once, the same bytes to each.
 *
 * Order, for every storage by itself: packs, then the index files that name them, then the snapshot, each durable before the next. A storage
 * that fails, loses its lock or was behind from the start gets no snapshot, and with it no point; the others do, without waiting for it.
 */
import { asFailure, Failure } from '../base/failure.ts';
import { type Id, idFromBytes } from '../base/ids.ts';
import { chunkerSeed } from './chunker-seed.ts';
import { encodeSnapshot, type Snapshot } from './format/snapshot.ts';
import { newClaims } from './index/claims.ts';
import { IndexWriter } from './index-writer.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { objectKey } from './keys.ts';
import type { KnownContent } from './known-content.ts';
import type { LocalTrees } from './local-trees.ts';
import type { Lock } from './locks.ts';
import { copyDeferred } from './pack-copy.ts';
import { maskOf, type Replica } from './replicas.ts';
import { TreeBuilder } from './tree-builder.ts';
import { UploadQueue } from './upload-queue.ts';
import type { SealedPackMessage, SealSettings } from './workers/messages.ts';
import { SealPool } from './workers/seal-pool.ts';

export interface PointWriterOptions {
  readonly seal: SealSettings;
  readonly workers?: number;
  /** Storages that already lack something the point will rest on: they receive the new packs, not the snapshot. */
  readonly behind?: readonly Replica[];
  /** The locks under which the point is written: a storage whose lock is lost gets no snapshot. */
  readonly locks?: readonly Lock[];
  /** Asked on each storage right before the point becomes visible there; what it throws keeps the point from it. */
  readonly beforeVisible?: () => Promise<void>;
  /** What was hashed in earlier runs; a run that ends well adds to it. */
  readonly known?: KnownContent;
  readonly signal: AbortSignal;
}

export type CopyOutcome =
  | { readonly state: 'complete' }
  | { readonly state: 'behind' }
  | { readonly state: 'failed'; readonly failure: Failure };

export interface CommittedPoint {
  readonly id: Id;
  /** By storage name. */
  readonly copies: ReadonlyMap<string, CopyOutcome>;
}

export class PointWriter implements AsyncDisposable {
  readonly pool: SealPool;
  readonly #repository: IndexedRepository;
  readonly #options: PointWriterOptions;
  readonly #queues: readonly UploadQueue[];
  readonly #behind: ReadonlySet<string>;
  readonly #locks: ReadonlyMap<string, Lock>;
  readonly #indexes: IndexWriter;
  /** Packs that some storage has neither taken nor refused yet. */
  readonly #distributing = new Set<Promise<unknown>>();
  /** The storages that must hold a blob for it not to be stored again. */
  readonly #needed: number;
  #packBytes = 0;
  /** What `beforeVisible` threw. */
  #refusal: Failure | undefined;

  constructor(repository: IndexedRepository, options: PointWriterOptions) {
    const { replicas, masterKey, settings } = repository.repository;
    const { clock } = settings;
    const { signal, seal, workers, known, behind = [], locks = [] } = options;
    this.#repository = repository;
    this.#options = options;
    this.#behind = new Set(behind.map(({ name }) => name));
    this.#locks = new Map(locks.map((lock) => [lock.replica.name, lock]));
    this.#needed = maskOf(replicas.filter(({ name }) => !this.#behind.has(name)));
    const othersKeepUp = (queue: UploadQueue) => this.#othersKeepUp(queue);
    this.#queues = replicas.map((replica) => new UploadQueue(replica, { clock, signal, othersKeepUp }));
    for (const queue of this.#queues) this.#failWithLock(queue);
    this.#indexes = new IndexWriter(repository.repository, this.#queues, clock);
    this.pool = new SealPool({
      masterKey,
      chunkerSeed: chunkerSeed(masterKey),
      index: repository.index.freeze(),
      claims: newClaims(),
      needed: this.#needed,
      settings: seal,
      onPack: (pack, free) => this.#track(this.#distribute(pack, free)),
      ...(workers === undefined ? {} : { workers }),
      ...(known && { tags: known.tags }),
    });
  }

  /** `local` keeps a copy of the tree on this machine, readable before the point is committed. */
  newTree(local?: LocalTrees): TreeBuilder {
    return new TreeBuilder(this.pool, local);
  }

  /** Bytes of finished packs so far, per copy. */
  get packBytes(): number {
    return this.#packBytes;
  }

  /** Whether all storages hold the blob already. */
  has(type: 'data' | 'tree', id: Uint8Array, offset = 0): boolean {
    return this.#repository.index.has(type, id, this.#needed, offset);
  }

  /**
   * Makes the point visible on every storage that holds all of it. Throws `storages_failed` when there is none, and the signal's reason when
   * it fires before one has it; once one has, the outcome tells which.
   */
  async commit(snapshot: Snapshot): Promise<CommittedPoint> {
    const learned = await this.pool.flush();
    await Promise.all(this.#distributing);
    this.#indexes.close();
    const sealed = this.#repository.repository.sealUnpacked(encodeSnapshot(snapshot));
    const outcomes = await Promise.all(
      this.#queues.map(async (queue) => [queue.replica.name, await this.#finish(queue, sealed)] as const),
    );
    const copies = new Map(outcomes);
    if (![...copies.values()].some(({ state }) => state === 'complete')) {
      this.#options.signal.throwIfAborted();
      throw this.#refusal ?? noCopy(copies);
    }
    await this.#options.known?.save(learned, this.#repository.index);
    return { id: sealed.id, copies };
  }

  /** Stops everything; what is stored already is indexed where that is quickly done, so that the next run need not store it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    await this.#indexes.salvage();
    const over = new Failure('interrupted', 'The run is over.');
    for (const queue of this.#queues) queue.fail(over);
    await Promise.all(this.#queues.map((queue) => queue.drained()));
  }

  /** Never rejects. */
  async #finish(queue: UploadQueue, snapshot: { id: Id; bytes: Uint8Array }): Promise<CopyOutcome> {
    const { store, name } = queue.replica;
    const { signal } = queue;
    try {
      await queue.drained();
      signal.throwIfAborted();
      await copyDeferred(queue, this.#queues);
      await this.#indexes.finish(queue);
      if (this.#behind.has(name)) return { state: 'behind' };
      await this.#locks.get(name)?.assertHeld();
      await this.#permitted();
      signal.throwIfAborted();
      await store.put(objectKey('snapshots', snapshot.id), snapshot.bytes, { signal });
      return { state: 'complete' };
    } catch (error) {
      return { state: 'failed', failure: queue.failure ?? asFailure(error, 'storage_unreachable') };
    }
  }

  async #permitted(): Promise<void> {
    try {
      await this.#options.beforeVisible?.();
    } catch (error) {
      this.#refusal = asFailure(error);
      throw this.#refusal;
    }
  }

  async #distribute(pack: SealedPackMessage, free: () => void): Promise<void> {
    const id = idFromBytes(pack.id);
    this.#packBytes += pack.bytes.length;
    const { isTree, blobIds, blobPlaces } = pack;
    this.#indexes.add({ id, isTree, blobIds, blobPlaces });
    const accepted = await Promise.all(this.#queues.map((queue) => queue.accept(id, pack.bytes)));
    void Promise.all(accepted.map(({ settled }) => settled)).then(free);
    this.#options.signal.throwIfAborted();
    if (this.#queues.every(({ failure }) => failure !== undefined)) throw noCopy(this.#failures());
  }

  #track(work: Promise<void>): Promise<void> {
    this.#distributing.add(work);
    const done = () => this.#distributing.delete(work);
    work.then(done, done);
    return work;
  }

  #failWithLock(queue: UploadQueue): void {
    const lost = this.#locks.get(queue.replica.name)?.lost;
    lost?.addEventListener('abort', () => queue.fail(asFailure(lost.reason, 'lock_lost')), { once: true });
  }

  #othersKeepUp(queue: UploadQueue): boolean {
    return this.#queues.some((other) => other !== queue && other.failure === undefined && other.hasRoom);
  }

  #failures(): Map<string, CopyOutcome> {
    return new Map(
      this.#queues.flatMap(({ replica, failure }) => (failure ? [[replica.name, { state: 'failed', failure }]] : [])),
    );
  }
}

function noCopy(copies: ReadonlyMap<string, CopyOutcome>): Failure {
  const words = [...copies].map(([name, copy]) =>
    copy.state === 'failed' ? copy.failure.message : `${name}: was behind before this run`,
  );
  const first = [...copies.values()].find((copy) => copy.state === 'failed');
  return new Failure('storages_failed', `No storage could take the restore point. ${words.join(' ')}`, {
    hint:
      first?.state === 'failed' && first.failure.hint ? first.failure.hint : 'Run "holdfast sync", then back up again.',
    cause: first?.state === 'failed' ? first.failure : undefined,
  });
}
