/**
 * The WAL archive of one cluster as the storages hold it: listed, read from the nearest good copy, written to all.
 *
 * The listing is the truth about what there is. Pieces may overlap (slices of a segment beside the whole segment, two streamers at once): a
 * reader takes whatever covers, and goes on to the next copy and the next piece when one is damaged, missing or out of reach.
 */
import { hash } from 'node:crypto';
import { asFailure, Failure, isFailure } from '../base/failure.ts';
import { type Id, id as toId } from '../base/ids.ts';
import type { Lsn } from '../postgres/lsn.ts';
import { inMask, type Replica, readFromAny } from '../repository/replicas.ts';
import type { Repository } from '../repository/repository.ts';
import type { StoredSnapshot } from '../repository/snapshots.ts';
import { type ListScope, listCluster } from './archive/list.ts';
import { type LogBytes, readLog } from './archive/read-log.ts';
import { FoldReader } from './fold/read.ts';
import { foldApp } from './fold-book.ts';
import {
  historyKey,
  isSlice,
  namePiece,
  parseHistoryKey,
  parsePieceKey,
  pieceKey,
  WAL_PREFIX,
  type WalHistory,
  type WalPiece,
  type WalSpan,
} from './piece.ts';
import { openHistory, openPiece, type SealOptions, sealHistory, sealPiece } from './sealed.ts';
import { type Ancestor, type Histories, parseHistory } from './timelines.ts';

export type { ListScope } from './archive/list.ts';
export type { LogBytes } from './archive/read-log.ts';

/** A piece, and the storages that list it with this size (bytes of the stored object). Folded segments are pieces like any other. */
export interface StoredPiece {
  readonly piece: WalPiece;
  readonly mask: number;
  readonly size: number;
  /** It is part of a snapshot, whose id is the hash of the piece; the size is 0 then. */
  readonly folded: boolean;
}

export interface StoredHistory {
  readonly history: WalHistory;
  readonly mask: number;
  readonly size: number;
}

export interface WalInventory {
  /** By timeline, start and end. */
  readonly pieces: readonly StoredPiece[];
  /** By timeline; a timeline may have several, of which any whole one will do. */
  readonly histories: readonly StoredHistory[];
  /** Storages that could not be opened or listed, each with its reason: what only they hold is not here. */
  readonly silent: ReadonlyMap<string, Failure>;
}

/** What became of an object that was to be stored everywhere. */
export interface StoreOutcome {
  /** Storages that hold it durably. */
  readonly stored: readonly string[];
  readonly failures: ReadonlyMap<string, Failure>;
}

export class WalArchive {
  readonly repository: Repository;
  readonly systemIdentifier: string;
  /** The snapshots of folded WAL that were listed. */
  readonly #folds = new Map<Id, StoredSnapshot>();
  #reader: Promise<FoldReader> | undefined;

  constructor(repository: Repository, systemIdentifier: string) {
    this.repository = repository;
    this.systemIdentifier = systemIdentifier;
  }

  /**
   * All that is archived, or (`scope`, cheaper) the loose pieces of a stretch, perhaps with neighbours, or the histories. Throws when no
   * storage can be listed.
   */
  async list(scope?: ListScope): Promise<WalInventory> {
    const inventory = await listCluster(this.repository, this.systemIdentifier, scope);
    for (const { snapshot } of inventory.folds) this.#folds.set(snapshot.id, snapshot);
    return inventory;
  }

  /**
   * The log of a timeline from `from` up to `to`, contiguous and verified. Throws `moment_unreachable` at the first byte that no storage
   * lists, `data_damaged` or the storages' own failure where none of the copies that are listed can be had.
   */
  read(timeline: number, from: Lsn, to: Lsn, inventory: WalInventory): AsyncGenerator<LogBytes> {
    return readLog({ timeline, from, to, pieces: inventory.pieces, readPiece: (stored) => this.readPiece(stored) });
  }

  /** The snapshot that holds a folded piece of a listing. */
  foldOf(piece: WalPiece): StoredSnapshot {
    const fold = this.#folds.get(piece.hash);
    if (fold === undefined) throw new Failure('internal', 'Folded WAL of a snapshot that was not listed.');
    return fold;
  }

  /** The bytes of one piece, from the nearest storage that has a good copy. */
  readPiece({ piece, mask, size, folded }: StoredPiece): Promise<Buffer> {
    if (folded) return this.#readFolded(piece);
    const accept = (sealed: Uint8Array) => openPiece(this.repository.sealer, sealed, piece);
    return this.#readSealed(pieceKey(piece), mask, size, accept);
  }

  /** The history file of a timeline, or undefined when none is listed. Throws when there is one and no good copy of it. */
  async history(timeline: number, { histories }: WalInventory): Promise<Buffer | undefined> {
    let failure: Failure | undefined;
    for (const { history, mask, size } of histories) {
      if (history.timeline !== timeline) continue;
      try {
        return await this.#readSealed(historyKey(history), mask, size, (sealed) =>
          openHistory(this.repository.sealer, sealed, history),
        );
      } catch (error) {
        this.repository.settings.signal?.throwIfAborted();
        failure = asFailure(error);
      }
    }
    if (failure !== undefined) throw failure;
    return undefined;
  }

  /** The ancestors of every timeline whose history is archived. One that cannot be read is left out, or (`strict`) thrown. */
  async histories(inventory: WalInventory, strict = false): Promise<Histories> {
    const known = new Map<number, readonly Ancestor[]>();
    for (const timeline of new Set(inventory.histories.map(({ history }) => history.timeline))) {
      try {
        const bytes = await this.history(timeline, inventory);
        if (bytes !== undefined) known.set(timeline, parseHistory(bytes, timeline));
      } catch (error) {
        this.repository.settings.signal?.throwIfAborted();
        if (strict || !isFailure(error)) throw error;
        this.repository.settings.onProblem?.({ storage: '', key: `history of timeline ${timeline}`, failure: error });
      }
    }
    return known;
  }

  /** Compresses (slices quickly, in any case), seals and names the bytes of a span; nothing is stored yet. */
  async seal(
    span: WalSpan,
    bytes: Uint8Array,
    options: SealOptions = {},
  ): Promise<{ readonly piece: WalPiece; readonly sealed: Buffer }> {
    const { sealer } = this.repository;
    if (BigInt(bytes.length) !== span.end - span.start)
      throw new Failure('internal', 'A piece of WAL of the wrong length.');
    const sealed = await sealPiece(sealer, bytes, isSlice(span) ? { ...options, form: 'quick' } : options);
    return { piece: namePiece(span, sealed), sealed };
  }

  /** Stores a sealed piece on every storage in use, or on `replicas`; never rejects for one that cannot take it. */
  store(piece: WalPiece, sealed: Uint8Array, replicas?: readonly Replica[]): Promise<StoreOutcome> {
    return this.#storeAll(pieceKey(piece), sealed, replicas);
  }

  /** Brings a loose piece, as it is stored, to storages that lack it. Throws when there is no good copy. */
  async copy(stored: StoredPiece, replicas: readonly Replica[]): Promise<StoreOutcome> {
    const { piece, mask, size } = stored;
    const { sealer } = this.repository;
    const sealed = await this.#readSealed(pieceKey(piece), mask, size, (bytes) => {
      openPiece(sealer, bytes, piece);
      return bytes;
    });
    return this.store(piece, sealed, replicas);
  }

  /** Seals and stores the history file of a timeline as the server gave it. */
  storeHistory(timeline: number, bytes: Uint8Array, replicas?: readonly Replica[]): Promise<StoreOutcome> {
    parseHistory(bytes, timeline);
    const sealed = sealHistory(this.repository.sealer, bytes);
    const { systemIdentifier } = this;
    const key = historyKey({ systemIdentifier, timeline, hash: toId(hash('sha256', sealed, 'hex')) });
    return this.#storeAll(key, sealed, replicas);
  }

  /** Removes a loose piece from all storages that list it, or from `replicas`; what one refuses to delete stays and hurts nobody. */
  async remove({ piece, mask, folded }: StoredPiece, replicas = this.repository.replicas): Promise<StoreOutcome> {
    if (folded) throw new Failure('internal', 'A folded piece of WAL is no object of its own.');
    return eachStorage(this.repository, inMask(replicas, mask), (replica, options) =>
      replica.store.delete(pieceKey(piece), options),
    );
  }

  /** The index is loaded when the first folded piece is read. */
  async #readFolded(piece: WalPiece): Promise<Buffer> {
    const fold = this.foldOf(piece);
    this.#reader ??= this.repository.loadIndex().then((indexed) => new FoldReader(indexed));
    return (await this.#reader).read(fold.snapshot.tree, foldApp(fold) ?? '', piece);
  }

  #storeAll(key: string, sealed: Uint8Array, replicas = this.repository.replicas): Promise<StoreOutcome> {
    return eachStorage(this.repository, replicas, (replica, options) => replica.store.put(key, sealed, options));
  }

  #readSealed<T>(key: string, mask: number, size: number, accept: (sealed: Uint8Array) => T): Promise<T> {
    const { replicas, settings } = this.repository;
    const range = { offset: 0, length: size };
    const options = settings.signal ? { signal: settings.signal } : {};
    return readFromAny(inMask(replicas, mask), key, range, accept, settings.onProblem, options);
  }
}

/** The clusters of which something is archived, each with the storages that hold some of it. Reads the names of all archived WAL. */
export async function archivedClusters(repository: Repository): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const { signal } = repository.settings;
  await Promise.all(
    repository.replicas.map(async ({ store, bit }) => {
      for await (const page of store.list(WAL_PREFIX, signal ? { signal } : {}))
        for (const { key } of page) {
          const name = (parsePieceKey(key) ?? parseHistoryKey(key))?.systemIdentifier;
          if (name !== undefined) found.set(name, ((found.get(name) ?? 0) | bit) >>> 0);
        }
    }),
  );
  return found;
}

async function eachStorage(
  { settings: { signal } }: Repository,
  replicas: readonly Replica[],
  work: (replica: Replica, options: { signal?: AbortSignal }) => Promise<void>,
): Promise<StoreOutcome> {
  const stored: string[] = [];
  const failures = new Map<string, Failure>();
  await Promise.all(
    replicas.map(async (replica) => {
      try {
        await work(replica, signal ? { signal } : {});
        stored.push(replica.name);
      } catch (error) {
        signal?.throwIfAborted();
        failures.set(replica.name, asFailure(error, 'storage_unreachable'));
      }
    }),
  );
  return { stored, failures };
}
