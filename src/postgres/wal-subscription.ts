/**
 * Physical streaming under a permanent slot: one connection, any number of timelines one after the other. What is received goes to a sink
 * that says how far it is durable; that, and nothing more, is told to the server. The server may always shut down: its requests are
 * answered with what the sink could make durable, a few times a second at most, and where that does not suffice we leave.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import { Failure, isFailure } from '../base/failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { formatLsn, type Lsn } from './lsn.ts';
import { copyDoneMessage, malformed } from './protocol/messages.ts';
import type { ReplicationResult } from './protocol/result-collector.ts';
import { statusMessage } from './protocol/wal-messages.ts';
import { type ClusterIdentity, ReplicationConnection } from './replication-connection.ts';
import { sqlstateOf } from './server-error.ts';
import { OLDEST_SUPPORTED } from './server-settings.ts';
import { type StreamEnding, type StreamEvents, StreamMessages } from './subscription/messages.ts';
import { queryRawRow } from './subscription/raw-row.ts';
import { createSlot, dropSlot, readSlot, type SlotPosition } from './subscription/slots.ts';

export type { StreamEnding } from './subscription/messages.ts';
export { type SlotPosition, slotName } from './subscription/slots.ts';

/** Takes what is received. */
export interface WalSink {
  /** Bytes that begin where the last ones ended, never across a segment's border; valid during the call. A Failure ends the stream. */
  wal(start: Lsn, bytes: Buffer): void;
  /** The server has this much, and we all of it up to what was received. */
  serverEnd(end: Lsn): void;
  /** Makes durable what was received, as far as it can be. */
  flush(): Promise<void>;
  /** What was received, and how much of it the server may take for safe. */
  positions(): { readonly received: Lsn; readonly durable: Lsn };
  /** Whether commits of the server wait for us: then nothing is put off. */
  isAwaited(): boolean;
}

export interface FollowOptions {
  /** Undefined: without one; the server keeps nothing for us. */
  readonly slot: string | undefined;
  readonly timeline: number;
  /** The start of a segment. */
  readonly start: Lsn;
  readonly sink: WalSink;
}

export interface SubscriptionOptions {
  /** Ends the connection at once. For a clean end see `stop`. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** A server that is silent for this long is taken for dead, in ms. Default 30 s. */
  readonly stallMs?: number;
}

const STALL_MS = 30_000;
/** Status goes out at least this often, with a request for an answer: so a dead connection is noticed. */
const STATUS_MS = 5_000;
/** Answers to the server's requests are at least this far apart. */
const REPLY_MS = 100;
/** A server that asks again and again wants to shut down, and waits for us. After this long we leave. */
const LEAVE_MS = 5_000;
/** So many requests in that time; far more than keepalives ever make. */
const LEAVE_REQUESTS = 20;
/** How long the server may take to end a stream that we end. */
const END_MS = 3_000;
/** How long reading may rest while the server sends a little for each commit: the socket holds what comes meanwhile, and then the server. */
const REST_MS = 20;
const MIB = 1024 * 1024;

export class WalSubscription implements AsyncDisposable {
  readonly identity: ClusterIdentity;
  /** Bytes. */
  readonly segmentSize: number;
  readonly #connection: ReplicationConnection;
  readonly #clock: Clock;
  #following: Following | undefined;

  private constructor(
    connection: ReplicationConnection,
    clock: Clock,
    found: { identity: ClusterIdentity; segmentSize: number },
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.identity = found.identity;
    this.segmentSize = found.segmentSize;
  }

  static async open(settings: ConnectionSettings, options: SubscriptionOptions = {}): Promise<WalSubscription> {
    const { signal, clock = systemClock, stallMs = STALL_MS } = options;
    const connection = await ReplicationConnection.open(settings, { signal, stallMs });
    try {
      const identity = await connection.identify();
      refuseOld(await connection.query('SHOW server_version_num', 'Asking for the version'));
      const [shown] = await connection.query('SHOW wal_segment_size', 'Asking for the size of segments');
      const segmentSize = parseSegmentSize(shown?.rows[0]?.wal_segment_size ?? '');
      return new WalSubscription(connection, clock, { identity, segmentSize });
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  readSlot(name: string): Promise<SlotPosition | undefined> {
    return readSlot(this.#connection, name);
  }

  createSlot(name: string): Promise<boolean> {
    return createSlot(this.#connection, name);
  }

  dropSlot(name: string): Promise<void> {
    return dropSlot(this.#connection, name);
  }

  /** The history file of a timeline, byte for byte; undefined where the server has none. */
  async history(timeline: number): Promise<Buffer | undefined> {
    try {
      const row = await queryRawRow(this.#connection, `TIMELINE_HISTORY ${timeline}`, 'Reading a history file');
      return row?.[1] ?? undefined;
    } catch (error) {
      if (sqlstateOf(error) === '58P01') return undefined;
      throw error;
    }
  }

  /** Streams until the timeline ends, the server shuts down, or `stop`. Throws the failure that ended it; the connection is then of no use. */
  async follow(options: FollowOptions): Promise<StreamEnding> {
    const following = new Following(this.#connection, this.#clock, this.segmentSize, options);
    this.#following = following;
    try {
      return await following.run();
    } finally {
      this.#following = undefined;
    }
  }

  /** Whether the server has the log of a timeline from `start` on; only the beginning is received, and thrown away. */
  async has(timeline: number, start: Lsn): Promise<boolean> {
    const sink: WalSink = {
      wal: () => this.stop(),
      serverEnd: () => this.stop(),
      flush: () => Promise.resolve(),
      positions: () => ({ received: 0n, durable: 0n }),
      isAwaited: () => true,
    };
    try {
      await this.follow({ slot: undefined, timeline, start, sink });
      return true;
    } catch (error) {
      if (isFailure(error, 'postgres_wal_gone')) return false;
      throw error;
    }
  }

  /** Tells the server where we are: call it when more has become durable. */
  acknowledge(): void {
    this.#following?.status(false);
  }

  /** Ends the stream politely; `follow` then resolves. */
  stop(): void {
    this.#following?.stop();
  }

  /** Stops reading: the server is held back by TCP, its slot keeps the rest. Status goes on. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#connection[Symbol.asyncDispose]();
  }
}

/** One START_REPLICATION. */
class Following implements StreamEvents {
  readonly #connection: ReplicationConnection;
  readonly #clock: Clock;
  readonly #segmentSize: bigint;
  readonly #options: FollowOptions;
  readonly #messages: StreamMessages;
  readonly #outcome = Promise.withResolvers<StreamEnding>();
  #asked = false;
  #answering = false;
  #requests = 0;
  #askedSince: number | undefined;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(connection: ReplicationConnection, clock: Clock, segmentSize: number, options: FollowOptions) {
    this.#connection = connection;
    this.#clock = clock;
    this.#segmentSize = BigInt(segmentSize);
    this.#options = options;
    this.#messages = new StreamMessages(options.start, this);
  }

  async run(): Promise<StreamEnding> {
    const { slot, start, timeline } = this.#options;
    const under = slot === undefined ? '' : `SLOT "${slot}" `;
    const from = `${under}PHYSICAL ${formatLsn(start)} TIMELINE ${timeline}`;
    this.#connection.restBetweenReads(() => (this.#options.sink.isAwaited() ? 0 : REST_MS));
    this.#connection.converse(`START_REPLICATION ${from}`, this.#messages);
    const timer = setInterval(() => this.status(true), STATUS_MS);
    try {
      return await this.#outcome.promise;
    } finally {
      clearInterval(timer);
      clearTimeout(this.#endTimer);
    }
  }

  stop(): void {
    if (this.#endTimer !== undefined) return;
    this.status(false);
    this.#messages.stop();
    this.#connection.send(copyDoneMessage());
    this.#connection.resume();
    this.#endTimer = setTimeout(() => this.#outcome.resolve({ kind: 'stopped' }), END_MS);
  }

  status(requestReply: boolean): void {
    const { received, durable } = this.#options.sink.positions();
    // A synchronous standby counts for remote_apply too: nothing reads here, so what is durable is as good as applied.
    this.#connection.send(statusMessage(received, durable, requestReply, durable));
  }

  data(start: Lsn, bytes: Buffer): void {
    this.#askedSince = undefined;
    let at = 0;
    while (at < bytes.length) {
      const position = start + BigInt(at);
      const left = Number(this.#segmentSize - (position % this.#segmentSize));
      const part = bytes.subarray(at, at + left);
      this.#options.sink.wal(position, part);
      at += part.length;
    }
  }

  keepalive(end: Lsn, replyRequested: boolean): void {
    this.#options.sink.serverEnd(end);
    if (replyRequested) void this.#answer();
  }

  copyDone(): void {
    this.#connection.send(copyDoneMessage());
  }

  ended(ending: StreamEnding): void {
    this.#outcome.resolve(ending);
  }

  failed(failure: Failure): void {
    this.#outcome.reject(failure);
  }

  async #answer(): Promise<void> {
    this.#leaveWhenAskedInVain();
    this.#asked = true;
    if (this.#answering) return;
    this.#answering = true;
    try {
      while (this.#asked) {
        this.#asked = false;
        await this.#options.sink.flush();
        this.status(false);
        await this.#clock.sleep(REPLY_MS);
      }
    } catch (error) {
      this.#outcome.reject(error);
    } finally {
      this.#answering = false;
    }
  }

  /** What is durable may be long in coming when storages must have it: the server shall not wait for that. */
  #leaveWhenAskedInVain(): void {
    const now = this.#clock.monotonic();
    if (this.#askedSince === undefined) {
      this.#askedSince = now;
      this.#requests = 0;
    }
    this.#requests += 1;
    if (this.#requests < LEAVE_REQUESTS || now - this.#askedSince < LEAVE_MS) return;
    this.#outcome.resolve({ kind: 'shutdown' });
  }
}

function refuseOld([result]: readonly ReplicationResult[]): void {
  const version = Number(result?.rows[0]?.server_version_num);
  if (version >= OLDEST_SUPPORTED * 10_000) return;
  throw new Failure('postgres_unsupported', `The server is older than PostgreSQL ${OLDEST_SUPPORTED}.`, {
    hint: 'Its WAL cannot be streamed. Upgrade the server.',
  });
}

/** `16MB`, `1GB`: as SHOW prints it. */
function parseSegmentSize(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,4})(MB|GB)$/.exec(text) ?? [];
  const size = Number(count) * (unit === 'GB' ? 1024 * MIB : MIB);
  if (size < MIB || size > 1024 * MIB || (size & (size - 1)) !== 0) throw malformed('wal_segment_size');
  return size;
}
