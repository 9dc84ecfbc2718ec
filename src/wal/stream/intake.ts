/**
 * Takes what the server sends into the spool and on to the archiver, makes it durable, and holds the server back when there is no room: the
 * socket is paused, and the slot keeps the rest. Nothing is ever dropped.
 */
import type { Lsn } from '../../postgres/lsn.ts';
import type { WalSink } from '../../postgres/wal-subscription.ts';
import type { Spool } from '../spool.ts';
import type { Archiver } from './archiver.ts';

/** The connection, as far as it is held back and told. */
export interface Source {
  pause(): void;
  resume(): void;
  acknowledge(): void;
}

export interface IntakeOptions {
  readonly spool: Spool;
  readonly archiver: Archiver;
  /** Bytes that may wait in the spool. */
  readonly limit: number;
  /** Whether commits of the server wait for us. */
  readonly isSynchronous: () => boolean;
  readonly onError: (error: unknown) => void;
  /** Receiving was paused, or goes on. */
  readonly onPause: (reason: 'limit' | 'full' | undefined) => void;
}

/** How long received bytes may wait to be made durable, in ms. */
const FLUSH_MS = 200;
/** How often a full disk is tried again. */
const RETRY_MS = 500;

export class Intake implements WalSink {
  readonly #options: IntakeOptions;
  #source: Source | undefined;
  /** What the spool had no room for, in order; no more than came before the socket stood still. */
  #held: { readonly start: Lsn; readonly bytes: Buffer }[] = [];
  #paused: 'limit' | 'full' | undefined;
  #serverEnd: Lsn | undefined;
  #acknowledged: Lsn = 0n;
  /** Whether anything came from this connection: a slot must not be moved back to log that the server no longer has. */
  #flows = false;
  #flushTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  get paused(): 'limit' | 'full' | undefined {
    return this.#paused;
  }

  /** The end of the server's log, as last heard. */
  get end(): Lsn | undefined {
    return this.#serverEnd;
  }

  /** What the server was told. */
  get acknowledged(): Lsn {
    return this.#acknowledged;
  }

  /** Log will come from this connection; what an earlier one left unwritten comes again. */
  attach(source: Source | undefined): void {
    this.#source = source;
    this.#held = [];
    this.#acknowledged = 0n;
    this.#flows = false;
    this.#setPaused(undefined);
    if (source !== undefined) this.#makeRoom();
  }

  wal(start: Lsn, bytes: Buffer): void {
    const end = start + BigInt(bytes.length);
    this.#flows = true;
    if (end > (this.#serverEnd ?? 0n)) this.#serverEnd = end;
    if (this.#held.length > 0) this.#held.push({ start, bytes: Buffer.from(bytes) });
    else this.#put(start, bytes);
  }

  serverEnd(end: Lsn): void {
    this.#serverEnd = end;
  }

  positions(): { received: Lsn; durable: Lsn } {
    const { spool, archiver } = this.#options;
    const { received } = spool;
    const { safe } = archiver;
    // Nothing beyond what was received on this timeline, and never less than before.
    if (this.#flows && safe > this.#acknowledged && safe <= received) this.#acknowledged = safe;
    return { received, durable: this.#acknowledged };
  }

  isAwaited(): boolean {
    return this.#options.isSynchronous();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    await this.#options.spool.flush();
  }

  /** More is safe, or there is more room. */
  changed(): void {
    this.#makeRoom();
    if (this.#options.archiver.safe > this.#acknowledged) this.#source?.acknowledge();
  }

  close(): void {
    this.#source = undefined;
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#retryTimer);
  }

  #put(start: Lsn, bytes: Buffer): void {
    const { spool, archiver, limit } = this.#options;
    const { known, written } = spool.append(start, bytes);
    if (written > 0) {
      archiver.take(bytes.subarray(known, known + written));
      this.#flushSoon();
    }
    const taken = known + written;
    if (taken < bytes.length) {
      this.#held.unshift({ start: start + BigInt(taken), bytes: Buffer.from(bytes.subarray(taken)) });
      this.#pause('full');
    } else if (spool.bytes > limit) this.#pause('limit');
  }

  #flushSoon(): void {
    if (this.#flushTimer !== undefined) return;
    const flush = () => {
      this.flush().then(
        () => this.changed(),
        (error: unknown) => this.#options.onError(error),
      );
    };
    this.#flushTimer = setTimeout(flush, this.isAwaited() ? 0 : FLUSH_MS);
  }

  #pause(reason: 'limit' | 'full'): void {
    this.#source?.pause();
    this.#setPaused(reason);
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#makeRoom(), RETRY_MS);
  }

  /** Goes on where there is room again: well below the limit, or on the disk. */
  #makeRoom(): void {
    if (this.#paused === undefined) return;
    const { spool, limit } = this.#options;
    try {
      const held = this.#held;
      this.#held = [];
      for (const [i, { start, bytes }] of held.entries()) {
        this.#put(start, bytes);
        if (this.#held.length === 0) continue;
        this.#held.push(...held.slice(i + 1));
        return;
      }
    } catch (error) {
      this.#options.onError(error);
      return;
    }
    if (spool.bytes > limit - limit / 8) {
      this.#pause('limit');
      return;
    }
    clearTimeout(this.#retryTimer);
    this.#setPaused(undefined);
    this.#source?.resume();
  }

  #setPaused(reason: 'limit' | 'full' | undefined): void {
    if (reason === this.#paused) return;
    this.#paused = reason;
    this.#options.onPause(reason);
  }
}
