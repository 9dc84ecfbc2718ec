/** The one row of a replication command whose values are bytes in no known encoding. */
import type { Failure } from '../../base/failure.ts';
import { decodeDataRow, decodeServerMessage, MESSAGE } from '../protocol/messages.ts';
import type { Receiver, ReplicationConnection } from '../replication-connection.ts';
import { connectionFailure, type ServerMessage, serverFailure } from '../server-error.ts';

/** The values of the last row of the answer to `command`; undefined when there is none. */
export function queryRawRow(
  connection: ReplicationConnection,
  command: string,
  doing: string,
): Promise<readonly (Buffer | null)[] | undefined> {
  return new Promise((resolve, reject) => connection.converse(command, new RawRow(doing, resolve, reject)));
}

type Row = readonly (Buffer | null)[] | undefined;

class RawRow implements Receiver {
  readonly #doing: string;
  readonly #resolve: (row: Row) => void;
  readonly #reject: (error: Failure) => void;
  #row: (Buffer | null)[] | undefined;
  #error: ServerMessage | undefined;

  constructor(doing: string, resolve: (row: Row) => void, reject: (error: Failure) => void) {
    this.#doing = doing;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  message(type: number, payload: Buffer): void {
    try {
      if (type === MESSAGE.dataRow) this.#row = decodeDataRow(payload).map((value) => value && Buffer.from(value));
      else if (type === MESSAGE.error) this.#error = decodeServerMessage(payload);
      else if (type === MESSAGE.ready) this.#ready();
    } catch (error) {
      this.#reject(connectionFailure(error, this.#doing, 'postgres_protocol'));
    }
  }

  failed(error: Failure): void {
    this.#reject(error);
  }

  #ready(): void {
    if (this.#error) this.#reject(serverFailure(this.#error, this.#doing, 'postgres_protocol'));
    else this.#resolve(this.#row);
  }
}
