/** Tells who waits in this process that the catalog may have changed. Never the only way to learn of it: waiting always ends in time. */
import type { Clock } from '../base/clock.ts';

export class Wake {
  readonly #waiting = new Set<() => void>();

  wake(): void {
    for (const resume of [...this.#waiting]) resume();
  }

  /** Ends at the next `wake`, or after `ms`, or when `signal` fires; rejects never. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const over = new AbortController();
    const end = () => over.abort();
    this.#waiting.add(end);
    signal.addEventListener('abort', end, { once: true });
    try {
      await clock.sleep(ms, over.signal).catch(() => {});
    } finally {
      this.#waiting.delete(end);
      signal.removeEventListener('abort', end);
    }
  }
}
