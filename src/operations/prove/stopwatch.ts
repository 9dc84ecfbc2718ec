/** Times the steps of a proof, one after the other. */
import type { Clock } from '../../base/clock.ts';
import type { ProofStep } from './report.ts';

export class Stopwatch {
  readonly steps: ProofStep[] = [];
  readonly #clock: Clock;
  readonly #started: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#started = clock.monotonic();
  }

  async time<T>(step: string, work: () => Promise<T>): Promise<T> {
    const started = this.#clock.monotonic();
    try {
      return await work();
    } finally {
      this.take(step, (this.#clock.monotonic() - started) / 1000);
    }
  }

  /** A step that another clocked. */
  take(step: string, seconds: number): void {
    this.steps.push({ step, seconds: rounded(seconds) });
  }

  /** Seconds since the beginning. */
  get elapsed(): number {
    return rounded((this.#clock.monotonic() - this.#started) / 1000);
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}
