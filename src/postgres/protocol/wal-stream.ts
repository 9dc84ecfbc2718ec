/** The messages of START_REPLICATION, from CopyBoth to ReadyForQuery: WAL goes into a buffer, everything else into its failure. */
import { Failure, isFailure } from '../../base/failure.ts';
import type { Receiver, ReplicationConnection } from '../replication-connection.ts';
import { connectionFailure, type ServerMessage, serverFailure } from '../server-error.ts';
import { copyDoneMessage, decodeServerMessage, MESSAGE } from './messages.ts';
import type { WalBuffer } from './wal-buffer.ts';
import { decodeWalMessage } from './wal-messages.ts';

const DOING = 'Receiving WAL';
/** How long the server may take to end a stream that we want to end. */
const END_MS = 3000;

export class WalStream implements Receiver {
  readonly #buffer: WalBuffer;
  readonly #reply: () => void;
  #ended = false;
  #ending = false;
  #onEnd: (() => void) | undefined;

  /** `reply` sends our status; called when the server asks for it. */
  constructor(buffer: WalBuffer, reply: () => void) {
    this.#buffer = buffer;
    this.#reply = reply;
  }

  message(type: number, payload: Buffer): void {
    try {
      if (type === MESSAGE.copyData) this.#copyData(payload);
      else if (type === MESSAGE.error) this.#buffer.fail(walFailure(decodeServerMessage(payload)));
      else if (type === MESSAGE.copyDone || type === MESSAGE.ready) this.#serverEnds(type);
    } catch (error) {
      this.failed(connectionFailure(error, DOING, 'postgres_protocol'));
    }
  }

  failed(error: Failure): void {
    this.#buffer.fail(isFailure(error, 'postgres_unreachable') ? lostStream(error) : error);
    this.#finish();
  }

  /** Asks the server to end the stream and waits for it, a few seconds at most. */
  async end(connection: ReplicationConnection): Promise<void> {
    if (this.#ended) return;
    this.#ending = true;
    connection.send(copyDoneMessage());
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, END_MS);
      this.#onEnd = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #copyData(payload: Buffer): void {
    const message = decodeWalMessage(payload);
    if (message.kind === 'data') this.#buffer.append(message.start, message.bytes);
    else if (message.replyRequested) this.#reply();
  }

  #serverEnds(type: number): void {
    if (type === MESSAGE.ready) this.#finish();
    if (!this.#ending) this.#buffer.fail(timelineEnded());
  }

  #finish(): void {
    this.#ended = true;
    this.#onEnd?.();
  }
}

function walFailure(error: ServerMessage): Failure {
  const failure = serverFailure(error, DOING, 'postgres_backup_failed');
  if (error.sqlstate !== '58P01') return failure;
  return new Failure('postgres_backup_failed', failure.message, {
    hint: 'The server removed WAL that is needed. ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();',
    details: failure.details,
  });
}

function lostStream(cause: Failure): Failure {
  return new Failure('postgres_unreachable', `The WAL stream was lost: ${cause.message}`, {
    hint: cause.hint ?? 'Run the backup again.',
    cause,
  });
}

function timelineEnded(): Failure {
  return new Failure('postgres_backup_failed', 'The server went over to another timeline during the backup.', {
    hint: 'It was promoted, or follows a new primary. Run the backup again.',
  });
}
