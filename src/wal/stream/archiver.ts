/**
 * From received log to stored pieces: cuts it, hands every piece to the queue of every storage, says how far the log is safe, and lets
 * segments leave the spool once they are.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { id as toId } from '../../base/ids.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import type { WalArchive, WalInventory } from '../archive.ts';
import { historyKey, type WalPiece } from '../piece.ts';
import { sealHistory } from '../sealed.ts';
import type { Spool } from '../spool.ts';
import { type CutSpan, Cutter } from './cutter.ts';
import { plainParcel, Sealing } from './parcel.ts';
import { openQueues } from './queues.ts';
import type { Position } from './route.ts';
import type { PieceKind, StorageQueue } from './storage-queue.ts';

export interface ArchiverOptions {
  readonly archive: WalArchive;
  readonly spool: Spool;
  readonly clock: Clock;
  /** Ends everything at once. */
  readonly signal: AbortSignal;
  /** Milliseconds from a commit until it is stored. */
  readonly flushEvery: number;
  /** Where WAL must be before the server may take it for safe. */
  readonly acknowledge: 'spool' | number;
  /** Copies without which a segment stays in the spool. */
  readonly required: number;
  /** Something was stored, or a storage began or ceased to fail. */
  readonly onChange: () => void;
  readonly onError: (error: unknown) => void;
}

/** WAL without commits is cut so often, in ms. */
const QUIET_MS = 60_000;

export class Archiver {
  readonly queues: readonly StorageQueue[];
  readonly #options: ArchiverOptions;
  readonly #sealing: Sealing;
  readonly #histories = new Set<number>();
  #cutter: Cutter | undefined;
  #numbers = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer fires; monotonic. */
  #due = Number.POSITIVE_INFINITY;
  #sliceEnd: Lsn = 0n;
  #releasing = false;

  constructor(options: ArchiverOptions) {
    const { archive, spool, clock, signal } = options;
    this.#options = options;
    this.#sealing = new Sealing({
      archive,
      storages: archive.repository.replicas.length + archive.repository.lost.length,
      read: ({ timeline, start, end }, into) => spool.read(timeline, start, end, into),
    });
    this.queues = openQueues(archive.repository, { clock, signal, onChange: () => this.#changed() });
  }

  get cutter(): Cutter | undefined {
    return this.#cutter;
  }

  /** What the storages hold already, as far as it lies after the start of a segment. To be told before anything begins. */
  knows({ pieces, histories }: WalInventory, from: Position): void {
    for (const { history } of histories) this.#histories.add(history.timeline);
    const isAfter = ({ timeline, end }: WalPiece) =>
      timeline > from.timeline || (timeline === from.timeline && end > from.lsn);
    const after = pieces.filter(({ piece }) => isAfter(piece));
    for (const queue of this.queues) {
      const replica = this.#options.archive.repository.replica(queue.name);
      const held = after.filter(({ mask }) => replica !== undefined && (mask & replica.bit) !== 0);
      queue.knows(held.map(({ piece }) => piece));
    }
  }

  /** From now on log of this timeline comes, from the start of a segment. What was there of another is cut to its end. */
  begin(timeline: number, start: Lsn): void {
    const after = this.#cutter?.timeline === timeline ? this.#cutter.position : undefined;
    this.finish();
    for (const queue of this.queues) queue.begin(timeline, start, after);
    const { segmentSize } = this.#options.spool.cluster!;
    const cut = (span: CutSpan) => this.#cut(span);
    this.#cutter = new Cutter({ timeline, start, segmentSize, cut, isRestUrgent: () => this.#isRestUrgent() });
    this.#sliceEnd = start;
  }

  /** Nothing follows on the timeline that is received. */
  finish(): void {
    this.#cutter?.finish();
    this.#cutter = undefined;
    this.#cancel();
  }

  /** Takes log that the spool has taken. */
  take(bytes: Uint8Array): void {
    this.#cutter?.push(bytes);
    this.#schedule();
  }

  /** Cuts what is loose now. */
  slice(): void {
    this.#cancel();
    this.#cutter?.cutSlice();
    this.#sliceEnd = this.#cutter?.position ?? this.#sliceEnd;
  }

  hasHistory(timeline: number): boolean {
    return this.#histories.has(timeline);
  }

  storeHistory(timeline: number, bytes: Uint8Array): void {
    if (this.#histories.has(timeline)) return;
    this.#histories.add(timeline);
    const { archive } = this.#options;
    const sealed = sealHistory(archive.repository.sealer, bytes);
    const { systemIdentifier } = archive;
    const key = historyKey({ systemIdentifier, timeline, hash: toId(hash('sha256', sealed, 'hex')) });
    const parcel = plainParcel(++this.#numbers, { key, bytes: sealed });
    for (const queue of this.queues) queue.add(parcel);
  }

  /** How far the server may take its log for safe. */
  get safe(): Lsn {
    const { acknowledge, spool } = this.#options;
    return acknowledge === 'spool' ? spool.durable : this.storedIn(acknowledge);
  }

  /** The position up to which that many storages hold the timeline that is received; 0 when they do not. */
  storedIn(copies: number): Lsn {
    const ends = this.queues.map((queue) => queue.end(this.#options.spool.timeline) ?? 0n);
    ends.sort((a, b) => (a < b ? 1 : -1));
    return ends[copies - 1] ?? 0n;
  }

  /** Waits until every storage that takes anything has everything. */
  async settled(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.settled()));
  }

  close(): void {
    this.#cancel();
  }

  #cut(span: CutSpan): void {
    const { archive, spool } = this.#options;
    this.#cancel(); // what is loose from now on has its own time
    const { replaces, ...rest } = span;
    const { systemIdentifier } = archive;
    const { segmentSize } = spool.cluster!;
    const parcel = this.#sealing.parcel(++this.#numbers, { ...rest, systemIdentifier, segmentSize }, replaces);
    for (const queue of this.queues) queue.add(parcel);
  }

  /** A slice is cut in time for it to be stored `flushEvery` after the first commit in it; where storages acknowledge, as soon as the last is up. */
  #schedule(): void {
    const cutter = this.#cutter;
    if (cutter === undefined) return;
    if (!cutter.isLoose) {
      this.#cancel();
      return;
    }
    const { clock, flushEvery, acknowledge } = this.#options;
    const isNext = acknowledge !== 'spool' && this.storedIn(acknowledge) >= this.#sliceEnd;
    const wait = isNext ? 0 : cutter.holdsTarget ? flushEvery - this.#lead() : Math.max(QUIET_MS, flushEvery);
    const due = clock.monotonic() + wait;
    if (due >= this.#due) return;
    this.#cancel();
    this.#due = due;
    this.#timer = setTimeout(() => this.slice(), wait);
  }

  /** Time kept for sealing and storing a slice: somewhat more than it took lately. */
  #lead(): number {
    const { flushEvery } = this.#options;
    return Math.min(flushEvery / 2, Math.max(flushEvery / 10, this.#took('slice') * 2));
  }

  /** A whole piece takes longer: when it would be stored only after the rest of it is to be cut, the rest comes first. */
  #isRestUrgent(): boolean {
    const { clock, flushEvery, acknowledge } = this.#options;
    if (acknowledge !== 'spool') return true;
    const now = clock.monotonic();
    return now + this.#took('whole') > Math.min(this.#due, now + flushEvery - this.#lead());
  }

  /** Milliseconds that the slowest storage took lately, of those that take anything. */
  #took(kind: PieceKind): number {
    return Math.max(...this.queues.map((queue) => (queue.failure === undefined ? queue.took[kind] : 0)));
  }

  #cancel(): void {
    clearTimeout(this.#timer);
    this.#due = Number.POSITIVE_INFINITY;
  }

  #changed(): void {
    void this.#release();
    this.#schedule();
    this.#options.onChange();
  }

  /** Lets the oldest segments go, in order. */
  async #release(): Promise<void> {
    if (this.#releasing) return;
    this.#releasing = true;
    try {
      const { spool } = this.#options;
      for (const file of spool.files) {
        const isCurrent =
          file.timeline === spool.timeline && file.end >= spool.received && file.start <= spool.received;
        const isComplete = file.size === spool.cluster?.segmentSize;
        if ((isCurrent && !isComplete) || !this.#isStored(file)) break;
        await spool.remove(file);
      }
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#releasing = false;
    }
  }

  #isStored({ timeline, start, end }: { readonly timeline: number; readonly start: Lsn; readonly end: Lsn }): boolean {
    const has = this.queues.filter((queue) => !queue.isPending(timeline, start, end));
    const isEverywhere = this.queues.every((queue) => queue.failure !== undefined || has.includes(queue));
    return isEverywhere && has.length >= this.#options.required;
  }
}
