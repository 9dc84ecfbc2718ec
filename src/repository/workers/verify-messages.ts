/** What the main thread and the verifying workers say to each other. */
import type { MasterKey } from '../crypto/envelope.ts';

export interface VerifyWorkerData {
  readonly masterKey: MasterKey;
}

/** Blobs as they stand in the bytes of a request. */
export interface BlobTable {
  /** Concatenated 32-byte ids. */
  readonly ids: Uint8Array;
  /** Per blob: offset in the bytes, sealed length, plain length when compressed (else 0). */
  readonly places: Uint32Array;
  /** Per blob: 1 for a tree. */
  readonly trees: Uint8Array;
}

/**
 * The next bytes of a pack. The parts of one pack go to one worker in order; a part ends where a blob ends. With blobs, each is decrypted,
 * decompressed and hashed, and the last part must end with a header that says the same.
 */
export interface VerifyRequest {
  readonly job: number;
  readonly stream: number;
  readonly bytes: Uint8Array;
  readonly blobs?: BlobTable;
  /** The pack's id, with its last part; undefined where the bytes are no whole pack: then only the blobs count. */
  readonly end?: { readonly packId?: string };
  /** Send the bytes back. */
  readonly giveBack?: boolean;
}

export interface VerifyReply {
  readonly job: number;
  /** Numbers of the blobs of this part that are wrong. */
  readonly badBlobs: readonly number[];
  /** The pack does not hash to its name. */
  readonly misnamed?: boolean;
  /** What is wrong with its header. */
  readonly header?: string;
  readonly bytes?: Uint8Array;
}
