/**
 * Writes one restore point to all storages: sealed once, the same bytes to each.
 *
 * Order, for every storage by itself: packs, then the index files that name them, then the snapshot, each durable before the next. A storage
 * that fails or was behind from the start gets no snapshot, and with it no point; the others do.
 */
import { hash } from 'node:crypto';
import { asFailure, Failure } from '../base/failure.ts';
import { type Id, idFromBytes } from '../base/ids.ts';
import { encodeIndex } from './format/index-file.ts';
import type { PackedBlob } from './format/pack-header.ts';
import { encodeSnapshot, type Snapshot } from './format/snapshot.ts';
import { newClaims } from './index/claims.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { objectKey } from './keys.ts';
import type { LocalTrees } from './local-trees.ts';
import { maskOf, type Replica, readFromAny } from './replicas.ts';
import { TreeBuilder } from './tree-builder.ts';
import { UploadQueue } from './upload-queue.ts';
import type { SealedPackMessage, SealSettings } from './workers/messages.ts';
import { SealPool } from './workers/seal-pool.ts';

/** Blobs in one index file. */
const INDEX_BLOBS = 50_000;

export interface PointWriterOptions {
  readonly seal: SealSettings;
  readonly workers?: number;
  /** Storages that already lack something the point will rest on: they receive the new packs, not the snapshot. */
  readonly behind?: readonly Replica[];
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

interface NewPack {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
}

export class PointWriter implements AsyncDisposable {
  readonly pool: SealPool;
  readonly #repository: IndexedRepository;
  readonly #options: PointWriterOptions;
  readonly #queues: readonly UploadQueue[];
  readonly #behind: ReadonlySet<string>;
  readonly #indexes: { readonly id: Id; readonly bytes: Uint8Array }[] = [];
  #packs: NewPack[] = [];
  #blobsInPacks = 0;
  #packBytes = 0;

  constructor(repository: IndexedRepository, options: PointWriterOptions) {
    const { clock } = repository.repository.settings;
    this.#repository = repository;
    this.#options = options;
    this.#behind = new Set((options.behind ?? []).map(({ name }) => name));
    const replicas = repository.repository.replicas;
    this.#queues = replicas.map(
      (replica) =>
        new UploadQueue(replica, { clock, signal: options.signal, othersKeepUp: (queue) => this.#othersKeepUp(queue) }),
    );
    this.pool = new SealPool({
      masterKey: repository.repository.masterKey,
      chunkerSeed: chunkerSeed(repository),
      index: repository.index.freeze(),
      claims: newClaims(),
      needed: maskOf(replicas.filter(({ name }) => !this.#behind.has(name))),
      settings: options.seal,
      onPack: (pack) => this.#distribute(pack),
      ...(options.workers === undefined ? {} : { workers: options.workers }),
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
    const needed = maskOf(this.#queues.map(({ replica }) => replica).filter(({ name }) => !this.#behind.has(name)));
    return this.#repository.index.has(type, id, needed, offset);
  }

  /** Makes the point visible on every storage that holds all of it. Throws `storages_failed` when there is none. */
  async commit(snapshot: Snapshot): Promise<CommittedPoint> {
    await this.pool.flush();
    await Promise.all(this.#queues.map((queue) => queue.drained()));
    this.#closeIndex();
    const sealed = this.#repository.repository.sealUnpacked(encodeSnapshot(snapshot));
    const outcomes = await Promise.all(
      this.#queues.map(async (queue) => [queue.replica.name, await this.#finish(queue, sealed)] as const),
    );
    const copies = new Map(outcomes);
    if (![...copies.values()].some(({ state }) => state === 'complete')) throw noCopy(copies);
    return { id: sealed.id, copies };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
  }

  async #finish(queue: UploadQueue, snapshot: { id: Id; bytes: Uint8Array }): Promise<CopyOutcome> {
    const { store, name } = queue.replica;
    const { signal } = this.#options;
    try {
      if (queue.failure !== undefined) throw queue.failure;
      for (const pack of queue.deferred) await this.#copyDeferred(queue, pack);
      for (const index of this.#indexes) await store.put(objectKey('index', index.id), index.bytes, { signal });
      if (this.#behind.has(name)) return { state: 'behind' };
      await store.put(objectKey('snapshots', snapshot.id), snapshot.bytes, { signal });
      return { state: 'complete' };
    } catch (error) {
      signal.throwIfAborted();
      return { state: 'failed', failure: asFailure(error, 'storage_unreachable') };
    }
  }

  /** Fetches a pack that a slow storage could not take in time from one that has it. */
  async #copyDeferred(queue: UploadQueue, pack: Id): Promise<void> {
    const { signal } = this.#options;
    const sources = this.#queues.filter(
      (other) => other !== queue && other.failure === undefined && !other.deferred.has(pack),
    );
    const key = objectKey('data', pack);
    const bytes = await readFromAny(
      sources.map(({ replica }) => replica),
      key,
      undefined,
      (read) => {
        if (hash('sha256', read, 'hex') === pack) return read;
        throw new Failure('data_damaged', `${key} does not hash to its name.`);
      },
      undefined,
      { signal },
    );
    await queue.replica.store.put(key, bytes, { signal });
    queue.storedBytes += bytes.length;
    queue.deferred.delete(pack);
  }

  async #distribute(pack: SealedPackMessage): Promise<void> {
    const id = idFromBytes(pack.id);
    this.#packs.push({ id, blobs: packedBlobs(pack) });
    this.#blobsInPacks += pack.blobIds.length / 32;
    this.#packBytes += pack.bytes.length;
    const accepted = await Promise.all(this.#queues.map((queue) => queue.accept(id, pack.bytes)));
    // Without this the memory of packs long stored would wait for a garbage collection that has no reason to hurry.
    void Promise.all(accepted.map(({ settled }) => settled)).then(() => (pack.bytes.buffer as ArrayBuffer).transfer(0));
    if (this.#queues.every(({ failure }) => failure !== undefined)) throw noCopy(this.#failures());
    if (this.#blobsInPacks >= INDEX_BLOBS) this.#closeIndex();
  }

  #closeIndex(): void {
    if (this.#packs.length === 0) return;
    this.#indexes.push(this.#repository.repository.sealUnpacked(encodeIndex(this.#packs)));
    this.#packs = [];
    this.#blobsInPacks = 0;
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

/** Chunk boundaries must not tell what a file is: the gear table is drawn from a secret of the repository. */
function chunkerSeed({ repository }: IndexedRepository): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from('holdfast chunker\0'), repository.masterKey.encrypt]), 'buffer');
}

function packedBlobs({ blobIds, blobPlaces, isTree }: SealedPackMessage): PackedBlob[] {
  const type = isTree ? 'tree' : 'data';
  return Array.from({ length: blobIds.length / 32 }, (_, i) => ({
    type,
    id: idFromBytes(blobIds, i * 32),
    offset: blobPlaces[i * 3] as number,
    length: blobPlaces[i * 3 + 1] as number,
    uncompressedLength: blobPlaces[i * 3 + 2] as number,
  }));
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
