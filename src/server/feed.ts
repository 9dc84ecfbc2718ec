/**
 * What happens, handed on to many: one reader of the catalog's events, a short memory of the newest ones, and every client at its own
 * place. A client that is slower than the memory reads from the catalog until it has caught up; none misses an event or gets it twice.
 */
import type { Clock } from '../base/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type CatalogEvent, newestEvent, readEvents, watchEvents } from '../catalog/events.ts';

const REMEMBERED = 1_000;
const BATCH = 200;
const AGAIN_MS = 1_000;

export class EventFeed {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  /** Consecutive in the order of their numbers; all events above `#floor` up to the last one. */
  #recent: CatalogEvent[] = [];
  #floor = 0;
  #running: Promise<void> | undefined;
  #news = Promise.withResolvers<void>();

  constructor(catalog: Catalog, clock: Clock, signal: AbortSignal) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** The number of the newest event there is. */
  async newest(): Promise<number> {
    return newestEvent(this.#catalog.db);
  }

  /**
   * Events above `after`, in batches as they come, never an empty one but after `quietMs` without any. Ends when `signal` fires.
   */
  async *follow(after: number, quietMs: number, signal: AbortSignal): AsyncGenerator<readonly CatalogEvent[]> {
    await this.#start();
    let seen = after;
    while (!signal.aborted) {
      const news = this.#news.promise; // before looking: what comes meanwhile is not slept over
      const batch = await this.#above(seen);
      if (batch.length > 0) {
        seen = batch.at(-1)!.seq;
        yield batch;
      } else if (!(await this.#sleep(news, quietMs, signal))) yield [];
    }
  }

  async #above(seen: number): Promise<readonly CatalogEvent[]> {
    if (seen < this.#floor) return readEvents(this.#catalog.db, seen, BATCH);
    const newest = this.#recent.at(-1)?.seq ?? this.#floor;
    return newest <= seen ? [] : this.#recent.filter(({ seq }) => seq > seen).slice(0, BATCH);
  }

  /** Whether there were news within the time. */
  async #sleep(news: Promise<void>, ms: number, signal: AbortSignal): Promise<boolean> {
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    const quiet = this.#clock.sleep(ms, stop.signal).then(
      () => false,
      () => true, // the caller has gone: nothing more is to be said
    );
    const told = await Promise.race([news.then(() => true), quiet]);
    stop.abort();
    signal.removeEventListener('abort', abort);
    return told;
  }

  async #start(): Promise<void> {
    if (this.#running !== undefined) return this.#running;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#running = promise;
    this.#floor = await this.newest();
    resolve();
    void this.#read();
  }

  /** A catalog that is away is asked again; clients wait. */
  async #read(): Promise<void> {
    while (!this.#signal.aborted) {
      const from = this.#recent.at(-1)?.seq ?? this.#floor;
      try {
        for await (const event of watchEvents(this.#catalog, from, this.#signal, this.#clock)) this.#remember(event);
      } catch {
        await this.#clock.sleep(AGAIN_MS, this.#signal).catch(() => {}); // the server stops
      }
    }
  }

  #remember(event: CatalogEvent): void {
    this.#recent.push(event);
    if (this.#recent.length > 2 * REMEMBERED) {
      this.#recent = this.#recent.slice(-REMEMBERED);
      this.#floor = this.#recent[0]!.seq - 1;
    }
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
