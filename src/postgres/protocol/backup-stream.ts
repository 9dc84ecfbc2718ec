/**
 * The conversation of BASE_BACKUP as steps without a socket: messages go in, what the reader wants comes out in order.
 * T D C (start) · T D… C (tablespaces) · H · CopyData… · c · T D C (stop) · C · Z; ErrorResponse anywhere, NoticeResponse too.
 * Archive bytes arrive in pieces of at most 32 KiB; they are gathered into chunks of CHUNK_BYTES so that readers wait rarely. Chunks are used
 * again once their reader has released them: fresh ones would keep the garbage collector busy.
 */
import type { Failure } from '../../base/failure.ts';
import type { Receiver } from '../replication-connection.ts';
import { connectionFailure, type ServerMessage } from '../server-error.ts';
import { decodeDataRow, decodeServerMessage, MESSAGE, malformed } from './messages.ts';

export type BackupEvent =
  | { readonly kind: 'result'; readonly rows: readonly (string | null)[][] }
  /** A new archive: `location` is a tablespace's path, empty for the data directory. */
  | { readonly kind: 'archive'; readonly name: string; readonly location: string }
  | { readonly kind: 'manifest' }
  /** `release` says that nobody will look at the bytes any more; it may be left uncalled. */
  | { readonly kind: 'data'; readonly bytes: Buffer; readonly release: () => void }
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'notice'; readonly notice: ServerMessage }
  | { readonly kind: 'copyDone' }
  | { readonly kind: 'error'; readonly error: ServerMessage }
  | { readonly kind: 'ready' };

/** Where events go: an Inbox, or a list in tests. */
export interface BackupSink {
  push(event: BackupEvent, weight: number): void;
  fail(error: Failure): void;
}

const CHUNK_BYTES = 1024 * 1024;

const KIND = { archive: 0x6e, data: 0x64, progress: 0x70, manifest: 0x6d } as const;

export class BackupStream implements Receiver {
  readonly #sink: BackupSink;
  #rows: (string | null)[][] = [];
  #chunk: Buffer | undefined;
  #fill = 0;
  /** Chunks that were released. There are never more than once were in use at the same time. */
  readonly #free: Buffer[] = [];

  constructor(sink: BackupSink) {
    this.#sink = sink;
  }

  message(type: number, payload: Buffer): void {
    try {
      if (type === MESSAGE.copyData) this.#copyData(payload);
      else this.#control(type, payload);
    } catch (error) {
      this.failed(connectionFailure(error, 'The base backup', 'postgres_protocol'));
    }
  }

  failed(error: Failure): void {
    this.#sink.fail(error);
  }

  #control(type: number, payload: Buffer): void {
    switch (type) {
      case MESSAGE.rowDescription:
        this.#rows = [];
        break;
      case MESSAGE.dataRow:
        this.#rows.push(decodeDataRow(payload).map((value) => value?.toString('utf8') ?? null));
        break;
      case MESSAGE.commandComplete:
        if (this.#rows.length > 0) this.#emit({ kind: 'result', rows: this.#rows });
        this.#rows = [];
        break;
      case MESSAGE.notice:
        this.#emit({ kind: 'notice', notice: decodeServerMessage(payload) });
        break;
      case MESSAGE.copyDone:
        this.#emit({ kind: 'copyDone' });
        break;
      case MESSAGE.error:
        this.#emit({ kind: 'error', error: decodeServerMessage(payload) });
        break;
      case MESSAGE.ready:
        this.#emit({ kind: 'ready' });
        break;
    }
  }

  #copyData(payload: Buffer): void {
    switch (payload[0]) {
      case KIND.data:
        this.#gather(payload);
        break;
      case KIND.archive:
        this.#emit(decodeArchive(payload));
        break;
      case KIND.manifest:
        this.#emit({ kind: 'manifest' });
        break;
      case KIND.progress:
        if (payload.length !== 9) throw malformed('progress message');
        this.#sink.push({ kind: 'progress', bytes: Number(payload.readBigInt64BE(1)) }, 0);
        break;
      default:
        throw malformed('backup message (of a kind unknown to us)');
    }
  }

  /** Copies the payload after its first byte into the current chunk, passing chunks on as they fill. */
  #gather(payload: Buffer): void {
    let at = 1;
    while (at < payload.length) {
      this.#chunk ??= this.#free.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const part = Math.min(payload.length - at, CHUNK_BYTES - this.#fill);
      payload.copy(this.#chunk, this.#fill, at, at + part);
      this.#fill += part;
      at += part;
      if (this.#fill === CHUNK_BYTES) this.#flush();
    }
  }

  #flush(): void {
    if (!this.#chunk || this.#fill === 0) return;
    const chunk = this.#chunk;
    const bytes = chunk.subarray(0, this.#fill);
    this.#chunk = undefined;
    this.#fill = 0;
    this.#sink.push({ kind: 'data', bytes, release: () => void this.#free.push(chunk) }, bytes.length);
  }

  /** Everything but data ends the chunk that is being gathered, so that order is kept. */
  #emit(event: BackupEvent): void {
    this.#flush();
    this.#sink.push(event, 0);
  }
}

function decodeArchive(payload: Buffer): BackupEvent {
  const nameEnd = payload.indexOf(0, 1);
  const locationEnd = nameEnd < 0 ? -1 : payload.indexOf(0, nameEnd + 1);
  if (locationEnd < 0) throw malformed('archive message');
  return {
    kind: 'archive',
    name: payload.toString('utf8', 1, nameEnd),
    location: payload.toString('utf8', nameEnd + 1, locationEnd),
  };
}
