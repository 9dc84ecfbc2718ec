/** One object on its way to all storages, and how its sealed bytes are had: from memory, from a storage that has it, or sealed again. */
import { hash } from 'node:crypto';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { WalArchive } from '../archive.ts';
import { pieceKey, type WalPiece, type WalSpan } from '../piece.ts';
import { MAX_SEALED_PIECE } from '../sealed.ts';

export interface SealedObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

export interface Parcel {
  /** Parcels go out in the order of their numbers. */
  readonly number: number;
  /** Undefined for what is no piece: a history file. */
  readonly span: WalSpan | undefined;
  /** Takes the place of slices within its span. */
  readonly replaces: boolean;
  /** `isUrgent`: it holds what no other piece holds; what is not makes way. */
  load(isUrgent: boolean): Promise<SealedObject>;
  /** A storage has it under this key. */
  stored(store: ObjectStore, key: string): void;
}

/** Sealed bytes that are kept for storages that have not taken them yet. */
const MEMORY = 24 * 1024 * 1024;

export interface SealingOptions {
  readonly archive: WalArchive;
  /** Sealed bytes that so many have are let go. */
  readonly storages: number;
  /** The plain bytes of a span, from the spool; `into` is large enough for them. */
  readonly read: (span: WalSpan, into: Buffer) => Promise<Buffer>;
}

/**
 * Seals pieces: of those that are urgent one at a time, quickly while others wait, and of those that only take the place of slices one at a
 * time, which makes way. A piece takes more than its size in memory while it is sealed.
 */
export class Sealing {
  readonly #options: SealingOptions;
  readonly #kept = new Map<PieceParcel, SealedObject>();
  #bytes = 0;
  readonly #urgent = new Lane();
  readonly #patient = new Lane();

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  parcel(number: number, span: WalSpan, replaces: boolean): Parcel {
    return new PieceParcel(this, number, span, replaces);
  }

  kept(parcel: PieceParcel): SealedObject | undefined {
    return this.#kept.get(parcel);
  }

  seal(span: WalSpan, isUrgent: boolean): Promise<{ readonly piece: WalPiece; readonly sealed: Buffer }> {
    const { archive, read } = this.#options;
    const lane = isUrgent ? this.#urgent : this.#patient;
    // One urgent piece for every step: what makes way still comes to its end when there is always something urgent.
    const way = isUrgent ? {} : { turn: () => this.#urgent.current };
    return lane.next(Number(span.end - span.start), async (room) => {
      const form = isUrgent && lane.waiting > 0 ? 'quick' : 'small';
      return archive.seal(span, await read(span, room), { ...way, form });
    });
  }

  keep(parcel: PieceParcel, object: SealedObject): void {
    this.#kept.set(parcel, object);
    this.#bytes += object.bytes.length;
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= MEMORY || oldest === parcel) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytes.length;
    }
  }

  /** So many storages have it: lets the bytes go when these are all. */
  stored(parcel: PieceParcel, copies: number): void {
    const kept = this.#kept.get(parcel);
    if (kept === undefined || copies < this.#options.storages) return;
    this.#kept.delete(parcel);
    this.#bytes -= kept.bytes.length;
  }
}

/** One piece after the other, in one buffer as large as the largest of them so far. */
class Lane {
  #plain: Buffer = Buffer.alloc(0);
  #last: Promise<unknown> = Promise.resolve();
  #current: Promise<void> | undefined;
  #waiting = 0;

  get waiting(): number {
    return this.#waiting;
  }

  /** Resolves when what is worked on is done; undefined when nothing is. */
  get current(): Promise<void> | undefined {
    return this.#current;
  }

  /** `work` gets a buffer of at least `length` bytes until it ends. */
  next<T>(length: number, work: (room: Buffer) => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const done = this.#last.then(async () => {
      this.#waiting -= 1;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#current = promise;
      try {
        if (this.#plain.length < length) this.#plain = Buffer.allocUnsafeSlow(length);
        return await work(this.#plain);
      } finally {
        this.#current = undefined;
        resolve();
      }
    });
    this.#last = done.catch(() => {}); // whoever asked hears of it
    return done;
  }
}

class PieceParcel implements Parcel {
  readonly number: number;
  readonly span: WalSpan;
  readonly replaces: boolean;
  readonly #sealing: Sealing;
  readonly #holders: { readonly store: ObjectStore; readonly key: string }[] = [];
  #loading: Promise<SealedObject> | undefined;

  constructor(sealing: Sealing, number: number, span: WalSpan, replaces: boolean) {
    this.#sealing = sealing;
    this.number = number;
    this.span = span;
    this.replaces = replaces;
  }

  load(isUrgent: boolean): Promise<SealedObject> {
    const kept = this.#sealing.kept(this);
    if (kept !== undefined) return Promise.resolve(kept);
    this.#loading ??= this.#make(isUrgent).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  stored(store: ObjectStore, key: string): void {
    this.#holders.push({ store, key });
    this.#sealing.stored(this, this.#holders.length);
  }

  async #make(isUrgent: boolean): Promise<SealedObject> {
    const object = (await this.#copy()) ?? (await this.#seal(isUrgent));
    this.#sealing.keep(this, object);
    return object;
  }

  async #seal(isUrgent: boolean): Promise<SealedObject> {
    const { piece, sealed } = await this.#sealing.seal(this.span, isUrgent);
    return { key: pieceKey(piece), bytes: sealed };
  }

  /** From a storage that took it before, so that all hold the same object. */
  async #copy(): Promise<SealedObject | undefined> {
    for (const { store, key } of this.#holders) {
      try {
        const bytes = await store.get(key);
        if (bytes.length > MAX_SEALED_PIECE || !key.endsWith(hash('sha256', bytes, 'hex'))) continue;
        return { key, bytes };
      } catch {
        // the next one, or the spool
      }
    }
    return undefined;
  }
}

/** A small object that is kept in memory until all have it. */
export function plainParcel(number: number, object: SealedObject): Parcel {
  return { number, span: undefined, replaces: false, load: () => Promise.resolve(object), stored: () => {} };
}
