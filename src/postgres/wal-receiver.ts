/**
 * The WAL of a base backup, streamed on a second connection while the backup runs. A temporary slot, made before the backup starts,
 * keeps the server from recycling what we have not received. Whole segments are handed out as they complete; the last one ends at
 * the backup's stop position and is filled with zeros, which is how PostgreSQL recognises the end of WAL.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { formatLsn, type Lsn, segmentName, segmentStart } from './lsn.ts';
import { WalBuffer } from './protocol/wal-buffer.ts';
import { statusMessage } from './protocol/wal-messages.ts';
import { WalStream } from './protocol/wal-stream.ts';
import { type ClusterIdentity, ReplicationConnection } from './replication-connection.ts';

export interface WalSegment {
  /** 24 hexadecimal digits. */
  readonly name: string;
  /** wal_segment_size, in bytes; the chunks add up to it. */
  readonly size: number;
  readonly chunks: AsyncIterable<Buffer>;
}

export interface WalReceiverOptions {
  /** wal_segment_size of the cluster, in bytes. */
  readonly segmentSize: number;
  /** Status goes out at least this often; must be well under the server's wal_sender_timeout. Default 5 s. */
  readonly statusMs?: number;
  /**
   * Whether to tell the server that what we received may go. Not where synchronous_standby_names is set: memory is no durable place,
   * and the server could count us as a synchronous standby.
   */
  readonly acknowledge: boolean;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_STATUS_MS = 5000;

export class WalReceiver implements AsyncDisposable {
  /** The cluster whose WAL this is. */
  readonly identity: ClusterIdentity;
  readonly #connection: ReplicationConnection;
  readonly #options: WalReceiverOptions;
  readonly #slot: string;
  #buffer: WalBuffer | undefined;
  #stream: WalStream | undefined;
  #status: NodeJS.Timeout | undefined;
  #timeline = 0;
  /** Start of the next segment to hand out. */
  #next: Lsn = 0n;

  private constructor(
    connection: ReplicationConnection,
    identity: ClusterIdentity,
    slot: string,
    options: WalReceiverOptions,
  ) {
    this.identity = identity;
    this.#connection = connection;
    this.#slot = slot;
    this.#options = options;
  }

  /** Connects and makes the slot; from now on the server keeps its WAL. */
  static async open(settings: ConnectionSettings, options: WalReceiverOptions): Promise<WalReceiver> {
    const connection = await ReplicationConnection.open(settings, { signal: options.signal });
    const slot = `holdfast_${randomBytes(6).toString('hex')}`;
    try {
      const identity = await connection.identify();
      const create = `CREATE_REPLICATION_SLOT "${slot}" TEMPORARY PHYSICAL RESERVE_WAL`;
      await connection.query(create, 'Making a replication slot');
      return new WalReceiver(connection, identity, slot, options);
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Begins to receive at the start of the segment that holds `lsn`. */
  start(lsn: Lsn, timeline: number): void {
    this.#timeline = timeline;
    this.#next = segmentStart(lsn, this.#options.segmentSize);
    this.#buffer = new WalBuffer(this.#next, this.#connection);
    this.#stream = new WalStream(this.#buffer, () => this.#reply(false));
    const from = `PHYSICAL ${formatLsn(this.#next)} TIMELINE ${timeline}`;
    this.#connection.converse(`START_REPLICATION SLOT "${this.#slot}" ${from}`, this.#stream);
    this.#status = setInterval(() => this.#reply(true), this.#options.statusMs ?? DEFAULT_STATUS_MS);
  }

  /** The next whole segment if all of it has arrived; throws when the stream has failed. */
  takeComplete(): WalSegment | undefined {
    const buffer = this.#started();
    buffer.throwIfFailed();
    const end = this.#next + BigInt(this.#options.segmentSize);
    return buffer.received < end ? undefined : this.#segment(end);
  }

  /** All segments not handed out yet, up to the one that holds the last byte before `stop`; waits for what is missing. */
  async *finish(stop: Lsn): AsyncGenerator<WalSegment, void, undefined> {
    this.#started();
    while (this.#next < stop) yield this.#segment(stop);
  }

  /** Ends the stream politely where it stands, and the connection with it; the slot goes with the connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#status);
    this.#buffer?.discard();
    await this.#stream?.end(this.#connection);
    await this.#connection[Symbol.asyncDispose]();
  }

  #segment(stop: Lsn): WalSegment {
    const size = this.#options.segmentSize;
    const from = this.#next;
    this.#next += BigInt(size);
    const end = this.#next < stop ? this.#next : stop;
    return { name: segmentName(this.#timeline, from, size), size, chunks: this.#started().read(end, this.#next) };
  }

  #reply(requestReply: boolean): void {
    const received = this.#started().received;
    this.#connection.send(statusMessage(received, this.#options.acknowledge ? received : 0n, requestReply));
  }

  #started(): WalBuffer {
    if (!this.#buffer) throw new Failure('internal', 'The WAL stream was not started.');
    return this.#buffer;
  }
}
