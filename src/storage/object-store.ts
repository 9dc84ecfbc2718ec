/**
 * The contract of a storage: a flat map from keys to immutable bytes.
 *
 * Every driver and wrapper passes the same suite (`testing/contract.ts`). Keys are relative, `/`-separated, of the characters
 * `[A-Za-z0-9._-]` and `/`, without empty, `.` or `..` parts.
 */

export interface ObjectInfo {
  readonly key: string;
  /** Size in bytes. */
  readonly size: number;
  /** Until when the storage refuses to delete the object (ms since the epoch). Only from `stat`, only where there is object lock. */
  readonly retainedUntil?: number;
}

export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PutOptions extends CallOptions {
  /** Refuse with `object_exists` when the key is taken. Atomic only where the `conditionalCreate` capability says so. */
  readonly ifAbsent?: boolean;
  /** Keep the object undeletable until this time (milliseconds since the epoch), where the storage has object lock. */
  readonly retainUntil?: number;
}

export interface ObjectStore {
  /** The storage's name in the configuration; stands in front of every error message. */
  readonly name: string;
  /** Where it is, for people: a path or `s3:endpoint/bucket/prefix`. Never a secret. */
  readonly location: string;
  /** How long a new object cannot be deleted, in ms; undefined where the storage has no object lock. */
  readonly lockMs?: number;

  /** Where the file system is mounted that holds the storage, or would hold it. Absent where a storage is no directory. */
  mountPoint?(options?: CallOptions): Promise<string | undefined>;

  /**
   * Stores `parts` (concatenated) under `key`, replacing what was there. When it resolves the object is durable and visible to `get`,
   * `stat` and `list`; when it rejects, either the whole object is there or nothing is.
   */
  put(key: string, parts: Uint8Array | readonly Uint8Array[], options?: PutOptions): Promise<void>;

  /**
   * The object's bytes, or the given range of them. Throws `object_missing` when there is none; `data_damaged` when it is shorter than
   * the range asks for. The caller owns the returned bytes.
   */
  get(key: string, range?: ByteRange, options?: CallOptions): Promise<Uint8Array>;

  /** Size of the object, or undefined when there is none. */
  stat(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>;

  /** All objects whose key begins with `prefix`, a page at a time, in no promised order. Temporary files never show. */
  list(prefix: string, options?: CallOptions): AsyncIterable<readonly ObjectInfo[]>;

  /** Removes the object; removing what is not there is no error. */
  delete(key: string, options?: CallOptions): Promise<void>;

  /** Prolongs object lock on `key` to `until` (ms since the epoch). A no-op where the storage has no object lock. */
  retain(key: string, until: number, options?: CallOptions): Promise<void>;

  close(): Promise<void>;
}
