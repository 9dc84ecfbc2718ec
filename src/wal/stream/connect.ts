/** Reaching the server, again and again, with pauses that grow. */
import type { Clock } from '../../base/clock.ts';
import { asFailure, Failure, type FailureCode } from '../../base/failure.ts';
import type { Progress } from '../../base/progress.ts';
import type { ConnectionSettings } from '../../postgres/connection-settings.ts';
import { WalSubscription } from '../../postgres/wal-subscription.ts';

export interface ConnectOptions {
  readonly connection: ConnectionSettings;
  readonly slot: string;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly stop: AbortSignal;
}

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** What cannot be mended by trying again. */
const FATAL: readonly FailureCode[] = [
  'wal_foreign',
  'wal_diverged',
  'spool_failed',
  'postgres_unsupported',
  'internal',
];

/** Whether trying again cannot help. What a server refuses may pass (connection slots, rights), unless it never took us. */
export function isFatal(failure: Failure, wasConnected: boolean): boolean {
  if (FATAL.includes(failure.code)) return true;
  return failure.code === 'postgres_refused' && !wasConnected && !/^53/.test(String(failure.details.sqlstate ?? ''));
}

/** Pauses that double, and begin anew after a success. */
export class Backoff {
  readonly #clock: Clock;
  #next = FIRST_PAUSE_MS;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  reset(): void {
    this.#next = FIRST_PAUSE_MS;
  }

  /** Resolves after the pause, or at once when `stop` fires. */
  async pause(stop: AbortSignal): Promise<void> {
    const pause = this.#next;
    this.#next = Math.min(LONGEST_PAUSE_MS, pause * 2);
    await this.#clock.sleep(pause, stop).catch(() => {});
  }
}

/** The connection under the name of the slot: that is how synchronous_standby_names may name it. */
export function openSubscription(
  { connection, slot, clock }: Pick<ConnectOptions, 'connection' | 'slot' | 'clock'>,
  signal: AbortSignal,
): Promise<WalSubscription> {
  return WalSubscription.open({ ...connection, applicationName: slot }, { signal, clock });
}

/** Which cluster the server is; waits for a server that is not there yet. */
export async function firstContact(options: ConnectOptions) {
  const { clock, progress, stop } = options;
  const backoff = new Backoff(clock);
  let told = '';
  for (;;) {
    try {
      await using subscription = await openSubscription(options, stop);
      const { systemIdentifier } = subscription.identity;
      return { systemIdentifier, segmentSize: subscription.segmentSize };
    } catch (error) {
      const failure = asFailure(error);
      if (stop.aborted || isFatal(failure, false) || failure.code === 'interrupted') throw interruptedOr(failure, stop);
      if (failure.message !== told)
        progress({ type: 'warning', message: failure.message, hint: failure.hint ?? 'It is tried again.' });
      told = failure.message;
    }
    await backoff.pause(stop);
  }
}

function interruptedOr(failure: Failure, stop: AbortSignal): Failure {
  return stop.aborted ? new Failure('interrupted', 'Stopped before the server could be reached.') : failure;
}
