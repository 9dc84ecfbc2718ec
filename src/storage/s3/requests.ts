/** How one request to the service is made: a place among the bounded connections, a deadline, and errors in our words. */
import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Deadline, patienceFor, underDeadline } from '../deadline.ts';
import { Places } from '../places.ts';
import type { Connection } from './client.ts';
import { s3Failure } from './errors.ts';
import { DEFAULT_CONNECTIONS, DEFAULT_TIMEOUTS, type S3StoreOptions, type S3Timeouts } from './options.ts';

export interface RequestFrame {
  /** For messages: "writing config". */
  readonly doing: string;
  /** Bytes the request will move, as far as known. */
  readonly bytes?: number;
  readonly signal: AbortSignal | undefined;
}

export type Work<T> = (connection: Connection, deadline: Deadline) => Promise<T>;

export class Requests {
  readonly clock: Clock;
  readonly #options: S3StoreOptions;
  readonly #timeouts: S3Timeouts;
  readonly #places: Places;
  #connection: Promise<Connection> | undefined;

  constructor(options: S3StoreOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.#places = new Places(options.connections ?? DEFAULT_CONNECTIONS);
  }

  /** Does one request. Rejects with a Failure, or with the reason of the signal. */
  run<T>({ doing, bytes = 0, signal }: RequestFrame, work: Work<T>): Promise<T> {
    const { name: storage, bucket } = this.#options;
    const frame = { storage, clock: this.clock, ms: this.timeFor(bytes), signal };
    return this.#places.run(signal, () =>
      underDeadline(frame, async (deadline) => {
        try {
          return await work(await this.#connect(), deadline);
        } catch (error) {
          if (deadline.signal.aborted) throw deadline.signal.reason;
          throw s3Failure({ storage, bucket, doing }, error);
        }
      }),
    );
  }

  /** Time a request has that moves `bytes`, in ms. */
  timeFor(bytes: number): number {
    return patienceFor(this.#timeouts.total, bytes);
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    (await connection)?.client.destroy();
  }

  #connect(): Promise<Connection> {
    this.#connection ??= import('./client.ts').then(({ connect }) => connect(this.#options));
    return this.#connection;
  }
}

/** MD5 as the header wants it. */
export function md5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('base64');
}
