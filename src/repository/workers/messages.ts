/** What the main thread and the sealing workers say to each other. Bulk data travels in transferred buffers. */
import type { FailureCode } from '../../base/failure.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import type { FrozenBlobIndex, StorageMask } from '../index/blob-index.ts';
import type { SharedTags } from './blob-namer.ts';

export interface SealSettings {
  /** A pack is closed once it has this many bytes. */
  readonly packSize: number;
  /** A zstd level, 'off', or 'auto': what costs little time for what it gains, by size of the blob. */
  readonly compression: number | 'auto' | 'off';
}

export interface SealWorkerData {
  readonly masterKey: MasterKey;
  readonly chunkerSeed: Uint8Array;
  readonly index: FrozenBlobIndex;
  readonly claims: SharedArrayBuffer;
  /** One Int32: how many finished packs may still be handed over before somebody must wait. */
  readonly credits: SharedArrayBuffer;
  /** See pack-memory.ts: the worker's own. */
  readonly packFlags: SharedArrayBuffer;
  /** The storages that must hold a blob already for it not to be stored again. */
  readonly needed: StorageMask;
  readonly settings: SealSettings;
  /** Absent where nothing is remembered between runs. */
  readonly tags?: SharedTags;
}

/** A stretch of a file: read, cut by content and stored. */
export interface FilePiece {
  readonly path: Uint8Array;
  readonly offset: number;
  /** Bytes to read, or Infinity: to the end of the file. */
  readonly length: number;
}

export type SealRequest =
  | { readonly kind: 'pieces'; readonly job: number; readonly pieces: readonly FilePiece[] }
  /** Blobs, stored as they are. */
  | { readonly kind: 'blobs'; readonly job: number; readonly isTree: boolean; readonly blobs: readonly Uint8Array[] }
  /** A stretch of content in memory, cut by content. */
  | { readonly kind: 'content'; readonly job: number; readonly bytes: Uint8Array }
  /** Part of a tree too large to hold plain: hashed and compressed as the parts of its `stream` come; `last` stores it. */
  | {
      readonly kind: 'part';
      readonly job: number;
      readonly stream: number;
      readonly bytes: Uint8Array;
      readonly last: boolean;
    }
  | { readonly kind: 'flush'; readonly job: number };

/** Size, mtime and ctime (nanoseconds) of an open file. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

export type PieceResult =
  | {
      readonly ok: true;
      /** Concatenated 32-byte ids of the blobs. */
      readonly content: Uint8Array;
      /** Bytes read. */
      readonly bytes: number;
      readonly before: FileStamp;
      readonly after: FileStamp;
    }
  | { readonly ok: false; readonly errno: string; readonly message: string };

export interface SealStats {
  /** New blobs and their plain bytes. */
  newBlobs: number;
  newBytes: number;
  /** What they take in the repository, sealed. */
  storedBytes: number;
}

export type SealReply =
  | {
      readonly kind: 'pieces';
      readonly job: number;
      readonly results: readonly PieceResult[];
      readonly stats: SealStats;
    }
  | { readonly kind: 'content'; readonly job: number; readonly content: Uint8Array; readonly stats: SealStats }
  /** `learned`: tags of chunks, see blob-namer.ts. */
  | { readonly kind: 'flushed'; readonly job: number; readonly learned: Uint8Array; readonly stats: SealStats }
  | {
      readonly kind: 'failed';
      readonly job: number;
      readonly code: FailureCode;
      readonly message: string;
      readonly hint?: string;
    }
  | SealedPackMessage;

export interface SealedPackMessage {
  readonly kind: 'pack';
  /** SHA-256 of the pack: its name. */
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
  /** The slot of the worker's pack memory that `bytes` lie in; otherwise they came with this message. */
  readonly slot?: number;
  readonly isTree: boolean;
  /** 32-byte blob ids, and per blob `offset, length, uncompressedLength`. */
  readonly blobIds: Uint8Array;
  readonly blobPlaces: Uint32Array;
}
