/** When to look at a run again. */
import { streamEvents } from '../api/events.ts';
import type { Clock } from '../base/clock.ts';
import type { Client } from './client.ts';

/** Wakes whoever waits when something happens to the run; without a stream, time does. */
export class News {
  #changed = Promise.withResolvers<void>();

  constructor(client: Client, about: { readonly run: string; readonly app?: string }, signal: AbortSignal) {
    void this.#listen(client, about, signal);
  }

  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    await Promise.race([this.#changed.promise, clock.sleep(ms, AbortSignal.any([signal, stop.signal]))]).finally(() =>
      stop.abort(),
    );
    signal.throwIfAborted();
    this.#changed = Promise.withResolvers();
  }

  async #listen(client: Client, query: { run: string; app?: string }, signal: AbortSignal): Promise<void> {
    try {
      for await (const event of client.events(streamEvents, { query, signal }))
        if (event.seq > 0) this.#changed.resolve();
    } catch {
      // looking again and again does as well
    }
  }
}
