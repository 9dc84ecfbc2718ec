/**
 * The way of WAL to one storage: in order, a few at a time, again and again until the storage takes it. Whole pieces of which the storage has
 * everything in slices let others go first. A storage that fails holds up nobody: what waits for it is a list of names, the bytes are made
 * again when it is back.
 */
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure } from '../../base/failure.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { type CommitTime, isSlice, parsePieceKey, pieceKey, type WalPiece } from '../piece.ts';
import { Coverage } from './coverage.ts';
import type { Parcel } from './parcel.ts';

export interface StorageQueueOptions {
  readonly store: ObjectStore;
  readonly clock: Clock;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
  /** Whether what the storage holds is ours; asked before the first object goes to a storage that could not be opened before. */
  readonly admit?: () => Promise<void>;
  /** Why it could not be used so far. */
  readonly failure?: Failure;
  /** Something was stored, or the storage began or ceased to fail. */
  readonly onChange: (queue: StorageQueue) => void;
}

/** Whether it is part of a segment, or all there is of it. */
export type PieceKind = 'slice' | 'whole';

const IN_FLIGHT = 3;
/** One place is kept free for what the storage does not have in any form. */
const PATIENT_IN_FLIGHT = IN_FLIGHT - 1;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

export class StorageQueue {
  readonly name: string;
  readonly #options: StorageQueueOptions;
  readonly #waiting: Parcel[] = [];
  readonly #running = new Set<Parcel>();
  /** Those of them that others go before. */
  readonly #patient = new Set<Parcel>();
  readonly #added = new WeakMap<Parcel, number>();
  readonly #coverage = new Map<number, Coverage>();
  /** Slices it holds, to be removed when what replaces them is stored. */
  #slices: WalPiece[] = [];
  #known: readonly WalPiece[] = [];
  #failure: Failure | undefined;
  #admit: (() => Promise<void>) | undefined;
  #pause = FIRST_PAUSE_MS;
  #sleeping = false;
  /** How long the last of each kind took, from its being cut until it was stored, in ms. */
  readonly #took: Record<PieceKind, number> = { slice: 0, whole: 0 };
  #listeners: (() => void)[] = [];

  constructor(options: StorageQueueOptions) {
    this.name = options.store.name;
    this.#options = options;
    this.#admit = options.admit;
    this.#failure = options.failure;
  }

  /** Why it takes nothing at the moment. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  get pending(): number {
    return this.#waiting.length + this.#running.size;
  }

  get took(): Readonly<Record<PieceKind, number>> {
    return this.#took;
  }

  /** What the listing showed; to be told before anything begins. */
  knows(pieces: readonly WalPiece[]): void {
    this.#known = pieces;
    this.#slices = pieces.filter(isSlice);
  }

  /** Log of this timeline comes, from here on. What lies between it and earlier log of the same timeline is lost, and not waited for. */
  begin(timeline: number, start: Lsn, after: Lsn | undefined): void {
    const begun = this.#coverage.get(timeline);
    if (begun !== undefined) {
      begun.add({ start: after ?? begun.end, end: start, lastCommit: undefined });
      return;
    }
    const coverage = new Coverage(start);
    for (const piece of this.#known) if (piece.timeline === timeline) coverage.add(piece);
    this.#coverage.set(timeline, coverage);
  }

  /** Held without a hole up to here; undefined while something of an earlier timeline is missing. */
  end(timeline: number): Lsn | undefined {
    const isBehind = [...this.#running, ...this.#waiting].some(
      ({ span }) => span !== undefined && span.timeline < timeline,
    );
    return isBehind ? undefined : this.#coverage.get(timeline)?.end;
  }

  lastCommit(timeline: number): CommitTime | undefined {
    return this.#coverage.get(timeline)?.lastCommit;
  }

  /** Whether anything of this stretch is still on its way. */
  isPending(timeline: number, start: Lsn, end: Lsn): boolean {
    const overlaps = ({ span }: Parcel) => span?.timeline === timeline && span.start < end && span.end > start;
    return this.#waiting.some(overlaps) || [...this.#running].some(overlaps);
  }

  add(parcel: Parcel): void {
    if (this.#isThere(parcel)) return;
    if (parcel.replaces) this.#dropReplaced(parcel);
    this.#added.set(parcel, this.#options.clock.monotonic());
    this.#waiting.push(parcel);
    this.#pump();
  }

  /** Resolves when nothing is pending, or once the storage fails. */
  async settled(): Promise<void> {
    while (this.pending > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#listeners.push(resolve));
    }
  }

  #isThere({ span, replaces }: Parcel): boolean {
    if (span === undefined) return false;
    const same = this.#known.some(({ timeline, start, end }) => {
      return timeline === span.timeline && start === span.start && end === span.end;
    });
    return same || (!replaces && (this.#coverage.get(span.timeline)?.holds(span.start, span.end) ?? false));
  }

  #dropReplaced({ span }: Parcel): void {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      if (isWithin(this.#waiting[i]!.span, span)) this.#waiting.splice(i, 1);
    }
  }

  #pump(): void {
    if (this.#sleeping || this.#options.signal.aborted) return;
    const places = this.#failure === undefined ? IN_FLIGHT : 1;
    while (this.#running.size < places) {
      const next = this.#failure === undefined ? this.#next() : this.#waiting[0];
      if (next === undefined) return;
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      this.#running.add(next);
      void this.#send(next);
    }
  }

  /** The first that holds anything new to the storage; when there is none, the first of the others, as long as they leave a place. */
  #next(): Parcel | undefined {
    const first = this.#waiting.find((parcel) => !this.#isInSlices(parcel));
    if (first !== undefined) return first;
    const next = this.#waiting[0];
    if (next === undefined || this.#patient.size >= PATIENT_IN_FLIGHT) return undefined;
    this.#patient.add(next);
    return next;
  }

  /** Whether the storage has all of it, or will have when what is on its way has come. */
  #isInSlices({ span, replaces }: Parcel): boolean {
    if (span === undefined || !replaces) return false;
    const coming = [...this.#running].flatMap((other) => (other.span?.timeline === span.timeline ? [other.span] : []));
    return this.#coverage.get(span.timeline)?.wouldHold(span, coming) ?? false;
  }

  async #send(parcel: Parcel): Promise<void> {
    const { signal, store } = this.#options;
    try {
      await this.#admit?.();
      this.#admit = undefined;
      const { key, bytes } = await parcel.load(!this.#patient.has(parcel));
      await store.put(key, bytes, { signal });
      this.#stored(parcel, key);
    } catch (error) {
      this.#failed(parcel, asFailure(error, 'storage_unreachable'));
    }
    this.#tell();
    this.#pump();
  }

  #stored(parcel: Parcel, key: string): void {
    const { span } = parcel;
    this.#leave(parcel);
    this.#failure = undefined;
    this.#pause = FIRST_PAUSE_MS;
    parcel.stored(this.#options.store, key);
    if (span === undefined) return;
    const took = this.#options.clock.monotonic() - (this.#added.get(parcel) ?? 0);
    this.#took[isSlice(span) ? 'slice' : 'whole'] = took;
    this.#coverage.get(span.timeline)?.add(span);
    if (parcel.replaces) this.#removeReplaced(parcel, key);
    const piece = parsePieceKey(key);
    if (piece !== undefined && isSlice(piece)) this.#slices.push(piece);
  }

  #failed(parcel: Parcel, failure: Failure): void {
    this.#leave(parcel);
    if (!this.#isReplaced(parcel)) this.#putBack(parcel);
    if (this.#options.signal.aborted || this.#sleeping) return;
    this.#failure = failure;
    this.#sleeping = true;
    const pause = this.#pause;
    this.#pause = Math.min(LONGEST_PAUSE_MS, pause * 2);
    const wake = () => {
      this.#sleeping = false;
      this.#pump();
    };
    this.#options.clock.sleep(pause, this.#options.signal).then(wake, () => {});
  }

  #leave(parcel: Parcel): void {
    this.#running.delete(parcel);
    this.#patient.delete(parcel);
  }

  #isReplaced(parcel: Parcel): boolean {
    const isLater = (other: Parcel) => other.replaces && other.number > parcel.number;
    return [...this.#waiting, ...this.#running].some((other) => isLater(other) && isWithin(parcel.span, other.span));
  }

  #putBack(parcel: Parcel): void {
    const at = this.#waiting.findIndex(({ number }) => number > parcel.number);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, parcel);
  }

  /** Best effort: what stays is overlapped, and goes with its segment later. Locked objects cannot go. */
  #removeReplaced({ span }: Parcel, key: string): void {
    const { store, signal } = this.#options;
    const replaced = this.#slices.filter((slice) => isWithin(slice, span));
    this.#slices = this.#slices.filter((slice) => !isWithin(slice, span));
    if (store.lockMs !== undefined) return;
    for (const slice of replaced) {
      if (pieceKey(slice) !== key) void store.delete(pieceKey(slice), { signal }).catch(() => {});
    }
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const wake of listeners) wake();
    this.#options.onChange(this);
  }
}

type Bounds = { readonly timeline: number; readonly start: Lsn; readonly end: Lsn };

function isWithin(inner: Bounds | undefined, outer: Bounds | undefined): boolean {
  if (inner === undefined || outer === undefined || inner.timeline !== outer.timeline) return false;
  return inner.start >= outer.start && inner.end <= outer.end;
}
