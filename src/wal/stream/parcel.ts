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
  load(): Promise<SealedObject>;
  /** A storage has it under this key. */
  stored(store: ObjectStore, key: string): void;
}

/** Sealed bytes that are kept for storages that have not taken them yet. */
const MEMORY = 24 * 1024 * 1024;

export interface SealingOptions {
  readonly archive: WalArchive;
  /** The plain bytes of a span, from the spool; `into` is large enough for them. */
  readonly read: (span: WalSpan, into: Buffer) => Promise<Buffer>;
}

/** Seals pieces, one at a time: a piece takes three times its size in memory while it is sealed. */
export class Sealing {
  readonly #options: SealingOptions;
  readonly #kept = new Map<PieceParcel, SealedObject>();
  #bytes = 0;
  #plain: Buffer = Buffer.alloc(0);
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SealingOptions) {
    this.#options = options;
  }

  parcel(number: number, span: WalSpan, replaces: boolean): Parcel {
    return new PieceParcel(this, number, span, replaces);
  }

  kept(parcel: PieceParcel): SealedObject | undefined {
    return this.#kept.get(parcel);
  }

  seal(span: WalSpan): Promise<{ readonly piece: WalPiece; readonly sealed: Buffer }> {
    const sealing = this.#turn.then(async () => {
      const { archive, read } = this.#options;
      return archive.seal(span, await read(span, this.#room(Number(span.end - span.start))));
    });
    this.#turn = sealing.catch(() => {}); // whoever asked hears of it
    return sealing;
  }

  /** One buffer for all, as large as the largest piece so far: only one is sealed at a time. */
  #room(length: number): Buffer {
    if (this.#plain.length < length) this.#plain = Buffer.allocUnsafeSlow(length);
    return this.#plain;
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

  load(): Promise<SealedObject> {
    const kept = this.#sealing.kept(this);
    if (kept !== undefined) return Promise.resolve(kept);
    this.#loading ??= this.#make().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  stored(store: ObjectStore, key: string): void {
    this.#holders.push({ store, key });
  }

  async #make(): Promise<SealedObject> {
    const object = (await this.#copy()) ?? (await this.#seal());
    this.#sealing.keep(this, object);
    return object;
  }

  async #seal(): Promise<SealedObject> {
    const { piece, sealed } = await this.#sealing.seal(this.span);
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
