/** What the main thread and the unsealing workers of a restore say to each other. Tables are shared memory, sealed bytes are transferred. */
import type { FailureCode } from '../../base/failure.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import type { Ownership } from '../restore-metadata.ts';
import type { RestoreColumns } from '../restore-table.ts';

export interface UnsealWorkerData {
  readonly masterKey: MasterKey;
  /** The 32-byte ids of the index, by row. */
  readonly blobIds: SharedArrayBuffer;
  readonly columns: RestoreColumns;
  /** The target directory. */
  readonly base: Uint8Array;
  readonly ownership: Ownership;
}

/** Words per blob in a `write` request: offset in the bytes, sealed length, plain length if compressed, index row, first and last+1 of `order`. */
export const BLOB_WORDS = 6;

export type UnsealRequest =
  /** Opens blobs out of a stretch of a pack and writes each wherever it belongs. */
  | {
      readonly kind: 'write';
      readonly job: number;
      readonly bytes: Uint8Array;
      readonly blobs: Uint32Array;
      /** The references of the blobs, side by side for each blob. */
      readonly refs: Uint32Array;
      /** The pack's 32-byte id, where the bytes are the whole pack. */
      readonly packId?: Uint8Array;
    }
  /** Creates files without content. */
  | { readonly kind: 'empty'; readonly job: number; readonly rows: Uint32Array }
  /** Looks at what an earlier, unfinished restore left of these files, and keeps what is right. */
  | { readonly kind: 'inspect'; readonly job: number; readonly rows: Uint32Array }
  /** Closes what is open; nothing more will be written to files begun so far. */
  | { readonly kind: 'close'; readonly job: number };

/** Something that went wrong with one file; the others go on. */
export interface RowProblem {
  readonly row: number;
  readonly message: string;
  /** Whether the file lacks something of its content, rather than an attribute. */
  readonly fatal: boolean;
}

export interface UnsealDone {
  readonly kind: 'done';
  readonly job: number;
  /** Which blobs of the request were damaged, by their position in it. */
  readonly damaged: readonly number[];
  readonly problems: readonly RowProblem[];
  /** Plain bytes written, or found in place by `inspect`. */
  readonly bytes: number;
  /** Files that are complete by this request. */
  readonly files: number;
}

export type UnsealReply =
  | UnsealDone
  | {
      readonly kind: 'failed';
      readonly job: number;
      readonly code: FailureCode;
      readonly message: string;
      readonly hint?: string;
    };
