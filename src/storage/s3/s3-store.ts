/** A storage in an S3 bucket, below a prefix. Works with AWS and with the services that speak its protocol. */
import type { GetObjectCommandOutput, PutObjectCommandInput } from '@aws-sdk/client-s3';
import { Failure } from '../../base/failure.ts';
import { joinParts, type Parts, partList, totalBytes } from '../bytes.ts';
import { checkKey, checkPrefix } from '../keys.ts';
import type { ByteRange, CallOptions, ObjectInfo, ObjectStore, PutOptions } from '../object-store.ts';
import { isNamed, statusOf } from './errors.ts';
import { listPages } from './list-objects.ts';
import { uploadInParts } from './multipart.ts';
import { DAY, defaultRetention, lockHeaders, mayBeLocked } from './object-lock.ts';
import {
  DEFAULT_MULTIPART_THRESHOLD,
  DEFAULT_PART_SIZE,
  keyPrefix,
  locationOf,
  type S3StoreOptions,
} from './options.ts';
import { readBody } from './read-body.ts';
import { md5, Requests } from './requests.ts';

/** Opens a storage in a bucket. No request is made until the first call; throws `config_invalid` for an unusable endpoint. */
export function openS3Store(options: S3StoreOptions): ObjectStore {
  return new S3Store(options);
}

interface Upload {
  readonly key: string;
  readonly target: PutObjectCommandInput & { readonly Bucket: string; readonly Key: string };
  readonly parts: readonly Uint8Array[];
  readonly size: number;
  readonly ifAbsent: boolean;
  readonly signal: AbortSignal | undefined;
}

class S3Store implements ObjectStore {
  readonly name: string;
  readonly location: string;
  readonly lockMs?: number;
  readonly #options: S3StoreOptions;
  readonly #requests: Requests;
  readonly #prefix: string;
  /** Set by any answer that proves that the bucket exists; a HEAD alone cannot tell a missing object from a missing bucket. */
  #bucketSeen = false;
  /** What the service makes of If-None-Match: it has refused a write for it, it does not know it, or nothing is known yet. */
  #conditions: 'honoured' | 'unsupported' | 'untried' = 'untried';

  constructor(options: S3StoreOptions) {
    this.name = options.name;
    this.location = locationOf(options);
    if (options.objectLock) this.lockMs = options.objectLock.days * DAY;
    this.#options = options;
    this.#requests = new Requests(options);
    this.#prefix = keyPrefix(options);
  }

  async put(key: string, parts: Parts, { ifAbsent = false, retainUntil, signal }: PutOptions = {}): Promise<void> {
    checkKey(key);
    const { objectLock } = this.#options;
    const until = retainUntil ?? defaultRetention(objectLock, key, this.#requests.clock);
    const target = { ...this.#object(key), ...lockHeaders(objectLock, key, until) };
    const upload = { key, target, parts: partList(parts), size: totalBytes(parts), ifAbsent, signal };
    await (ifAbsent ? this.#create(upload) : this.#upload(upload));
    this.#bucketSeen = true;
    // Some services forget the retention of objects that came in parts.
    if (until !== undefined && this.#goesInParts(upload)) await this.retain(key, until, { signal });
  }

  #goesInParts({ size }: Upload): boolean {
    return size > (this.#options.multipartThreshold ?? DEFAULT_MULTIPART_THRESHOLD);
  }

  /** Services that ignore If-None-Match do not say so: until it was seen to work, look first. */
  async #create(upload: Upload): Promise<void> {
    const { key, signal } = upload;
    if (this.#conditions !== 'honoured' && (await this.stat(key, { signal }))) throw this.#exists(key);
    try {
      await this.#upload({ ...upload, ifAbsent: this.#conditions !== 'unsupported' });
    } catch (error) {
      if (isStatus(error, 409, 412)) {
        this.#conditions = 'honoured';
        throw this.#exists(key);
      }
      if (!isStatus(error, 501) || this.#conditions === 'unsupported') throw error;
      this.#conditions = 'unsupported';
      await this.#upload({ ...upload, ifAbsent: false });
    }
  }

  #upload(upload: Upload): Promise<void> {
    const { partSize = DEFAULT_PART_SIZE } = this.#options;
    if (!this.#goesInParts(upload)) return this.#uploadWhole(upload);
    return uploadInParts(this.#requests, { ...upload, partSize });
  }

  async #uploadWhole({ key, target, parts, size, ifAbsent, signal }: Upload): Promise<void> {
    await this.#requests.run({ doing: `writing ${key}`, bytes: size, signal }, ({ sdk, client }, deadline) => {
      const Body = joinParts(parts);
      const condition = ifAbsent ? { IfNoneMatch: '*' } : {};
      const input = { ...target, ...condition, Body, ContentLength: size, ContentMD5: md5(Body) };
      return client.send(new sdk.PutObjectCommand(input), { abortSignal: deadline.signal });
    });
  }

  async get(key: string, range?: ByteRange, { signal }: CallOptions = {}): Promise<Uint8Array> {
    checkKey(key);
    if (range?.length === 0) return this.#nothing(key, range.offset, signal);
    const doing = `reading ${key}`;
    const bytes = await this.#requests.run(
      { doing, bytes: range?.length ?? 0, signal },
      async ({ sdk, client }, late) => {
        const Range = range && `bytes=${range.offset}-${range.offset + range.length - 1}`;
        const input = { ...this.#object(key), ...(Range ? { Range } : {}) };
        const answer = await client
          .send(new sdk.GetObjectCommand(input), { abortSignal: late.signal })
          .catch((error: unknown) => this.#notRead(key, range, error));
        const size = this.#promisedSize(key, range, answer);
        late.restart(this.#requests.timeFor(size));
        return readBody(`${this.name}: ${key}`, answer.Body as unknown as AsyncIterable<unknown>, size);
      },
    );
    this.#bucketSeen = true;
    return bytes;
  }

  /** A range without bytes cannot be asked for; it is still damage when it lies beyond the end. */
  async #nothing(key: string, offset: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const info = await this.stat(key, { signal });
    if (!info) throw this.#missing(key);
    if (offset > info.size) throw this.#beyondEnd(key, { offset, length: 0 }, info.size);
    return new Uint8Array(0);
  }

  #notRead(key: string, range: ByteRange | undefined, error: unknown): never {
    if (isNamed(error, 'NoSuchKey')) throw this.#missing(key, error);
    if (range && (isNamed(error, 'InvalidRange') || statusOf(error) === 416)) throw this.#beyondEnd(key, range);
    throw error;
  }

  /** How many bytes the body will have; refuses answers that do not fit the question. */
  #promisedSize(key: string, range: ByteRange | undefined, answer: GetObjectCommandOutput): number {
    const size = answer.ContentLength;
    if (size === undefined || !answer.Body) {
      throw new Failure('storage_misbehaves', `${this.name}: ${key} came without its size.`, {
        hint: 'A proxy before this service may rewrite its answers; reach the service without it.',
      });
    }
    if (!range || size === range.length) return size;
    if (answer.ContentRange) throw this.#beyondEnd(key, range, range.offset + size);
    throw new Failure('storage_misbehaves', `${this.name}: asked for part of ${key}, the service sent all of it.`, {
      hint: 'This service or a proxy before it does not honour range requests; use another.',
    });
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | undefined> {
    checkKey(key);
    const info = await this.#requests.run({ doing: `looking at ${key}`, signal }, async ({ sdk, client }, late) => {
      try {
        const head = await client.send(new sdk.HeadObjectCommand(this.#object(key)), { abortSignal: late.signal });
        const retainedUntil = head.ObjectLockRetainUntilDate?.getTime();
        return { key, size: head.ContentLength ?? 0, ...(retainedUntil === undefined ? {} : { retainedUntil }) };
      } catch (error) {
        if (statusOf(error) === 404 && !isNamed(error, 'NoSuchBucket')) return undefined;
        throw error;
      }
    });
    if (info) this.#bucketSeen = true;
    else await this.#assertBucket(signal);
    return info;
  }

  /** Throws unless the bucket exists; asks only until it has once been seen. */
  async #assertBucket(signal: AbortSignal | undefined): Promise<void> {
    if (this.#bucketSeen) return;
    await this.#requests.run({ doing: 'looking for objects', signal }, ({ sdk, client }, late) => {
      const command = new sdk.ListObjectsV2Command({ Bucket: this.#options.bucket, Prefix: this.#prefix, MaxKeys: 1 });
      return client.send(command, { abortSignal: late.signal });
    });
    this.#bucketSeen = true;
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<readonly ObjectInfo[]> {
    checkPrefix(prefix);
    signal?.throwIfAborted();
    const place = { storage: this.name, bucket: this.#options.bucket, keyPrefix: this.#prefix };
    yield* listPages(this.#requests, place, prefix, signal);
    this.#bucketSeen = true;
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    checkKey(key);
    await this.#requests.run({ doing: `removing ${key}`, signal }, async ({ sdk, client }, late) => {
      try {
        await client.send(new sdk.DeleteObjectCommand(this.#object(key)), { abortSignal: late.signal });
      } catch (error) {
        if (!isNamed(error, 'NoSuchKey')) throw error;
      }
    });
  }

  async retain(key: string, until: number, { signal }: CallOptions = {}): Promise<void> {
    checkKey(key);
    signal?.throwIfAborted();
    const { objectLock } = this.#options;
    if (!objectLock || !mayBeLocked(key)) return;
    const info = await this.stat(key, { signal });
    if (!info) throw this.#missing(key);
    if (info.retainedUntil !== undefined && info.retainedUntil >= until) return;
    await this.#requests.run({ doing: `retaining ${key}`, signal }, ({ sdk, client }, late) => {
      const { ObjectLockMode: Mode, ObjectLockRetainUntilDate: RetainUntilDate } = lockHeaders(objectLock, key, until);
      const Retention = { Mode, RetainUntilDate };
      return client.send(new sdk.PutObjectRetentionCommand({ ...this.#object(key), Retention }), {
        abortSignal: late.signal,
      });
    });
  }

  async close(): Promise<void> {
    await this.#requests.close();
  }

  #object(key: string) {
    return { Bucket: this.#options.bucket, Key: this.#prefix + key };
  }

  #exists(key: string): Failure {
    return new Failure('object_exists', `${this.name}: ${key} exists already.`);
  }

  #missing(key: string, cause?: unknown): Failure {
    return new Failure('object_missing', `${this.name}: ${key} is not there.`, { cause });
  }

  #beyondEnd(key: string, range: ByteRange, size?: number): Failure {
    const end = range.offset + range.length;
    const has = size === undefined ? 'is shorter' : `has ${size} bytes`;
    return new Failure('data_damaged', `${this.name}: ${key} ${has}; bytes ${range.offset} to ${end} were asked for.`);
  }
}

/** Whether a failure comes from an answer with one of these HTTP statuses. */
function isStatus(error: unknown, ...statuses: number[]): boolean {
  const status = error instanceof Failure ? statusOf(error.cause) : undefined;
  return status !== undefined && statuses.includes(status);
}
