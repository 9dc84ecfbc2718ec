/** Gathers the rows of a simple query on a replication connection. */
import type { Failure } from '../../base/failure.ts';
import type { Receiver } from '../replication-connection.ts';
import { connectionFailure, type ServerMessage, serverFailure } from '../server-error.ts';
import { decodeDataRow, decodeRowDescription, decodeServerMessage, MESSAGE } from './messages.ts';

/** One result set: rows as objects of text by column name. */
export interface ReplicationResult {
  readonly rows: readonly Readonly<Record<string, string | null>>[];
}

type Row = Record<string, string | null>;

export class ResultCollector implements Receiver {
  readonly #doing: string;
  readonly #resolve: (results: ReplicationResult[]) => void;
  readonly #reject: (error: Failure) => void;
  readonly #results: { rows: Row[] }[] = [];
  #columns: string[] = [];
  #error: ServerMessage | undefined;

  constructor(doing: string, resolve: (results: ReplicationResult[]) => void, reject: (error: Failure) => void) {
    this.#doing = doing;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  message(type: number, payload: Buffer): void {
    try {
      this.#take(type, payload);
    } catch (error) {
      this.#reject(connectionFailure(error, this.#doing, 'postgres_protocol'));
    }
  }

  failed(error: Failure): void {
    this.#reject(error);
  }

  #take(type: number, payload: Buffer): void {
    switch (type) {
      case MESSAGE.rowDescription:
        this.#columns = decodeRowDescription(payload);
        this.#results.push({ rows: [] });
        break;
      case MESSAGE.dataRow:
        this.#results.at(-1)?.rows.push(this.#row(payload));
        break;
      case MESSAGE.error:
        this.#error = decodeServerMessage(payload);
        break;
      case MESSAGE.ready:
        if (this.#error) this.#reject(serverFailure(this.#error, this.#doing, 'postgres_protocol'));
        else this.#resolve(this.#results);
        break;
    }
  }

  #row(payload: Buffer): Row {
    const row: Row = {};
    for (const [index, value] of decodeDataRow(payload).entries()) {
      row[this.#columns[index] ?? String(index)] = value === null ? null : value.toString('utf8');
    }
    return row;
  }
}
