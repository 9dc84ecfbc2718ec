/**
 * A connection in replication mode. node-postgres authenticates; then the socket is ours, so that COPY data is framed without
 * events per message and the socket can be paused when the reader is slower than the server.
 */
import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { Failure, isFailure } from '../base/failure.ts';
import { connectClient, type ReplicationMode } from './connect.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { type Lsn, parseLsn } from './lsn.ts';
import { MessageFramer } from './protocol/framer.ts';
import { frontendMessage, MESSAGE, queryMessage } from './protocol/messages.ts';
import { type ReplicationResult, ResultCollector } from './protocol/result-collector.ts';
import { type ReadingSocket, readingSocket } from './reading-socket.ts';
import { connectionFailure } from './server-error.ts';

/** Takes the messages of one exchange, up to and including ReadyForQuery. */
export interface Receiver {
  /** `type` is one of MESSAGE; `payload` is valid during the call only unless copied. */
  message(type: number, payload: Buffer): void;
  /** All messages of one read of the socket were given. */
  readEnded?(): void;
  /** The connection ended, or a message made no sense; nothing follows. */
  failed(error: Failure): void;
}

export interface ReplicationOptions {
  readonly signal?: AbortSignal | undefined;
  /** A server that sends nothing for this long, while we are reading, is taken for dead. Default 10 minutes. */
  readonly stallMs?: number;
}

export interface ClusterIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** How far its log reaches. */
  readonly position: Lsn;
}

const DEFAULT_STALL_MS = 600_000;
/** A read that brings less than this may be followed by a rest. */
const LITTLE_BYTES = 64 * 1024;

export class ReplicationConnection implements AsyncDisposable {
  readonly #client: pg.Client;
  readonly #socket: Duplex;
  readonly #framer: MessageFramer;
  readonly #stallMs: number;
  #receiver: Receiver | undefined;
  #failure: Failure | undefined;
  #stall: NodeJS.Timeout | undefined;
  /** Held back by `pause`. */
  #isPaused = false;
  #restMs: () => number = () => 0;
  #stopListening: () => void = () => {};

  private constructor(client: pg.Client, options: ReplicationOptions) {
    this.#client = client;
    this.#stallMs = options.stallMs ?? DEFAULT_STALL_MS;
    this.#framer = new MessageFramer((type, payload) => this.#deliver(type, payload));
    this.#socket = client.connection.stream;
    this.#takeOver(options.signal);
  }

  /** Connects with `replication=database`; where that is refused, with `replication=true` (no SQL then). */
  static async open(settings: ConnectionSettings, options: ReplicationOptions = {}): Promise<ReplicationConnection> {
    try {
      return await ReplicationConnection.#connect(settings, options, 'database');
    } catch (error) {
      if (!isFailure(error, 'postgres_refused') || !worthOtherMode(error)) throw error;
      try {
        return await ReplicationConnection.#connect(settings, options, 'true');
      } catch {
        throw error;
      }
    }
  }

  static async #connect(settings: ConnectionSettings, options: ReplicationOptions, mode: ReplicationMode) {
    let connection: ReplicationConnection | undefined;
    let reading: ReadingSocket | undefined;
    await connectClient(settings, {
      replication: mode,
      signal: options.signal,
      socket: () => {
        reading = readingSocket();
        return reading.socket;
      },
      onReady: (client) => {
        connection = new ReplicationConnection(client, options);
        // Receivers keep nothing that they have not copied.
        reading?.share();
      },
    });
    return connection!;
  }

  /** Runs one simple query; every result set's rows come as text. */
  query(sql: string, doing = 'A replication command'): Promise<ReplicationResult[]> {
    return new Promise((resolve, reject) => this.converse(sql, new ResultCollector(doing, resolve, reject)));
  }

  /** Who answers: the cluster's identity (64 bits, as text) and its timeline. */
  async identify(): Promise<ClusterIdentity> {
    const row = (await this.query('IDENTIFY_SYSTEM', 'Identifying the server'))[0]?.rows[0];
    return {
      systemIdentifier: row?.systemid ?? '',
      timeline: Number(row?.timeline),
      position: parseLsn(row?.xlogpos ?? ''),
    };
  }

  /** Sends `sql` and gives `receiver` every message until ReadyForQuery. One exchange at a time. */
  converse(sql: string, receiver: Receiver): void {
    if (this.#failure) {
      receiver.failed(this.#failure);
      return;
    }
    if (this.#receiver) throw new Failure('internal', 'A replication connection was asked two things at once.');
    this.#receiver = receiver;
    this.#watch();
    this.#socket.write(queryMessage(sql));
  }

  /** Sends a message within a COPY: `d` or `c`. */
  send(message: Uint8Array): void {
    if (!this.#failure) this.#socket.write(message);
  }

  /** Stops reading until `resume`: the server is held back by TCP, and the stall timer stands still. */
  pause(): void {
    this.#isPaused = true;
    clearTimeout(this.#stall);
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#receiver) this.#watch();
    this.#socket.resume();
  }

  /**
   * After a read that brought little, the socket rests for so many ms (asked each time; 0: not at all), and more comes at once: a server
   * that sends something for every commit else wakes us for every commit.
   */
  restBetweenReads(ms: () => number): void {
    this.#restMs = ms;
  }

  /** Ends politely when idle, at once when something is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    const idle = !this.#receiver && !this.#failure;
    const closed = new Promise<void>((resolve) => {
      if (this.#socket.closed) resolve();
      else this.#socket.once('close', () => resolve());
    });
    if (idle) this.#socket.write(frontendMessage('X', new Uint8Array(0)), () => this.#socket.destroy());
    else this.#fail(new Failure('interrupted', 'The connection was closed from our side.'));
    await closed;
    this.#stopListening();
  }

  #takeOver(signal: AbortSignal | undefined): void {
    const socket = this.#socket;
    socket.removeAllListeners('data');
    this.#client.connection.removeAllListeners('error');
    this.#client.connection.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) =>
      this.#fail(connectionFailure(error, 'Talking to PostgreSQL', 'postgres_unreachable')),
    );
    const ended = () => this.#fail(closedByServer());
    socket.on('end', ended);
    socket.on('close', ended);
    const abort = () => this.#fail(new Failure('interrupted', 'Interrupted.', { cause: signal?.reason }));
    this.#stopListening = () => signal?.removeEventListener('abort', abort);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
  }

  #read(chunk: Buffer): void {
    this.#stall?.refresh();
    try {
      this.#framer.push(chunk);
      this.#receiver?.readEnded?.();
    } catch (error) {
      this.#fail(connectionFailure(error, 'Reading from PostgreSQL', 'postgres_protocol'));
      return;
    }
    if (chunk.length < LITTLE_BYTES) this.#rest(this.#restMs());
  }

  #rest(ms: number): void {
    if (ms === 0 || this.#receiver === undefined || this.#isPaused) return;
    this.#socket.pause();
    setTimeout(() => {
      if (!this.#isPaused) this.#socket.resume();
    }, ms);
  }

  #deliver(type: number, payload: Buffer): void {
    if (this.#failure) return;
    const receiver = this.#receiver;
    if (type === MESSAGE.ready) {
      this.#receiver = undefined;
      clearTimeout(this.#stall);
    }
    receiver?.message(type, payload);
  }

  #watch(): void {
    clearTimeout(this.#stall);
    this.#stall = setTimeout(() => this.#fail(stalled(this.#stallMs)), this.#stallMs);
  }

  #fail(failure: Failure): void {
    if (this.#failure) return;
    this.#failure = failure;
    clearTimeout(this.#stall);
    this.#stopListening();
    this.#socket.destroy();
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.failed(failure);
  }
}

/** pg_hba lines may name the `replication` keyword only; a database that is missing needs none there. */
function worthOtherMode(failure: Failure): boolean {
  return failure.details.sqlstate === '28000' || failure.details.sqlstate === '3D000';
}

function closedByServer(): Failure {
  return new Failure('postgres_unreachable', 'PostgreSQL closed the connection.', {
    hint: "Look into the server's log: it stopped, crashed, or a time limit ended the connection.",
  });
}

function stalled(ms: number): Failure {
  return new Failure('postgres_unreachable', `PostgreSQL sent nothing for ${Math.round(ms / 1000)} s.`, {
    hint: 'The server, or the network between, hangs. Look at both, then try again.',
  });
}
