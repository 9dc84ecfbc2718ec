/**
 * The conversation of START_REPLICATION, from CopyBoth to its end, as steps without a socket. Four ways lead out: we end it
 * (`c` both ways, C, C, Z), the timeline ends (`c` from the server, our `c`, T, D, C, C, Z; without CopyBoth when nothing was left to
 * send), the server shuts down (C without Z, then the connection closes), or something goes wrong.
 */
import { Failure } from '../../base/failure.ts';
import { type Lsn, parseLsn } from '../lsn.ts';
import { decodeDataRow, decodeServerMessage, MESSAGE, malformed } from '../protocol/messages.ts';
import { decodeWalMessage } from '../protocol/wal-messages.ts';
import type { Receiver } from '../replication-connection.ts';
import { connectionFailure, type ServerMessage, serverFailure } from '../server-error.ts';
import { LogRun } from './log-run.ts';

export type StreamEnding =
  | { readonly kind: 'stopped' }
  | { readonly kind: 'shutdown' }
  /** The timeline was left at `at`; `next` need not be its number plus one. */
  | { readonly kind: 'timeline'; readonly next: number; readonly at: Lsn };

export interface StreamEvents {
  /** WAL that begins where the last bytes ended, of one message or of several at once; a view, valid during the call. */
  data(start: Lsn, bytes: Buffer): void;
  /** The end of the server's log as it says, and whether it wants to hear from us. */
  keepalive(end: Lsn, replyRequested: boolean): void;
  /** The server has sent all of the timeline: answer with CopyDone. */
  copyDone(): void;
  ended(ending: StreamEnding): void;
  failed(failure: Failure): void;
}

const DOING = 'Receiving WAL';

export class StreamMessages implements Receiver {
  readonly #events: StreamEvents;
  readonly #run: LogRun;
  #error: ServerMessage | undefined;
  #row: (string | null)[] | undefined;
  #stopping = false;
  #completed = false;
  #over = false;

  constructor(start: Lsn, events: StreamEvents) {
    this.#run = new LogRun(start, (at, bytes) => events.data(at, bytes));
    this.#events = events;
  }

  /** What comes from now on until the end is of no interest: we have sent CopyDone. */
  stop(): void {
    this.#stopping = true;
  }

  message(type: number, payload: Buffer): void {
    this.#orFail(() => this.#take(type, payload));
  }

  readEnded(): void {
    this.#orFail(() => this.#run.handOver());
  }

  failed(error: Failure): void {
    if (this.#error) this.#fail(streamFailure(this.#error));
    else if (this.#completed && error.code === 'postgres_unreachable') this.#end({ kind: 'shutdown' });
    else this.#fail(error);
  }

  #orFail(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(connectionFailure(error, DOING, 'postgres_protocol'));
      throw error;
    }
  }

  #take(type: number, payload: Buffer): void {
    if (type !== MESSAGE.copyData) this.#run.handOver();
    switch (type) {
      case MESSAGE.copyData:
        if (!this.#stopping) this.#copyData(payload);
        break;
      case MESSAGE.copyDone:
        if (!this.#stopping) this.#events.copyDone();
        break;
      case MESSAGE.dataRow:
        this.#row = decodeDataRow(payload).map((value) => value?.toString('latin1') ?? null);
        break;
      case MESSAGE.commandComplete:
        this.#completed = true;
        break;
      case MESSAGE.error:
        this.#error = decodeServerMessage(payload);
        break;
      case MESSAGE.ready:
        this.#ready();
        break;
    }
  }

  #copyData(payload: Buffer): void {
    const message = decodeWalMessage(payload);
    if (message.kind === 'keepalive') {
      this.#run.handOver();
      this.#events.keepalive(message.end, message.replyRequested);
      return;
    }
    this.#run.add(message.start, message.bytes);
  }

  #ready(): void {
    const [next, at] = this.#row ?? [];
    if (this.#error) this.#fail(streamFailure(this.#error));
    else if (next != null && at != null) this.#end({ kind: 'timeline', next: timelineNumber(next), at: parseLsn(at) });
    else if (this.#stopping) this.#end({ kind: 'stopped' });
    else throw malformed('end of the WAL stream');
  }

  #end(ending: StreamEnding): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.ended(ending);
  }

  #fail(failure: Failure): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.failed(failure);
  }
}

function timelineNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) < 1) throw malformed('timeline');
  return Number(text);
}

function streamFailure(error: ServerMessage): Failure {
  const failure = serverFailure(error, DOING, 'postgres_protocol');
  if (error.sqlstate !== '58P01') return failure;
  return new Failure('postgres_wal_gone', failure.message, {
    hint: 'The server no longer has WAL that is missing here: a replication slot would have kept it.',
    details: failure.details,
  });
}
