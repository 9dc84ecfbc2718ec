/** What an S3 storage is told, and what follows from it. */
import type { Clock } from '../../base/clock.ts';
import { Failure } from '../../base/failure.ts';
import type { Patience } from '../deadline.ts';

export interface S3StoreOptions {
  readonly name: string;
  /** `https://host[:port]`; without it AWS in `region`. */
  readonly endpoint?: string;
  readonly bucket: string;
  /** In front of every key, without slashes at its ends. */
  readonly prefix?: string;
  /** Default `us-east-1`; some services want `auto`. */
  readonly region?: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. Default: true when an endpoint is given. */
  readonly pathStyle?: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Keep every object except locks undeletable for so many days after it was put. */
  readonly objectLock?: ObjectLockOptions;
  /** Requests and connections at the same time; default 8. */
  readonly connections?: number;
  /** Certificate authorities to trust besides the system's, PEM. */
  readonly certificateAuthorities?: string;
  readonly timeouts?: Partial<S3Timeouts>;
  /** Objects larger than this are uploaded in parts of `partSize`; both in bytes. Defaults 100 MiB and 32 MiB. */
  readonly multipartThreshold?: number;
  readonly partSize?: number;
  readonly clock?: Clock;
}

export interface ObjectLockOptions {
  readonly days: number;
  /** `compliance` (default): nobody can delete before the time is over. `governance`: who has the permission can. */
  readonly mode?: 'compliance' | 'governance';
}

export interface S3Timeouts {
  /** Time to connect, in ms. */
  readonly connect: number;
  /** Longest silence on a connection, in ms. */
  readonly idle: number;
  /** Time for a whole request, by the bytes it moves. */
  readonly total: Patience;
}

export const DEFAULT_TIMEOUTS: S3Timeouts = {
  connect: 10_000,
  idle: 60_000,
  total: { base: 90_000, slowest: 32 * 1024 },
};

const MIB = 1024 * 1024;
export const DEFAULT_CONNECTIONS = 8;
export const DEFAULT_MULTIPART_THRESHOLD = 100 * MIB;
export const DEFAULT_PART_SIZE = 32 * MIB;

/** The endpoint to talk to; undefined leaves the choice to the SDK. Refuses what is no plain http(s) origin. */
export function checkedEndpoint({ name, endpoint }: S3StoreOptions): URL | undefined {
  if (endpoint === undefined) return undefined;
  const url = URL.parse(endpoint);
  const refuse = (why: string) =>
    new Failure('config_invalid', `${name}: the endpoint ${why}.`, {
      hint: 'Write it as https://host or https://host:port.',
    });
  if (!url) throw refuse('is not a URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('must begin with https:// or http://');
  if (url.username || url.password) throw refuse('must not contain credentials');
  if (url.search || url.hash) throw refuse('must not contain a query or a fragment');
  return url;
}

/** `prefix/` or nothing. */
export function keyPrefix({ prefix = '' }: S3StoreOptions): string {
  const plain = prefix.replace(/^\/+|\/+$/g, '');
  return plain === '' ? '' : `${plain}/`;
}

/** Where the storage is, written as restic writes it. */
export function locationOf(options: S3StoreOptions): string {
  const origin = checkedEndpoint(options)?.href.replace(/\/+$/, '') ?? `https://s3.${regionOf(options)}.amazonaws.com`;
  return `s3:${origin}/${options.bucket}/${keyPrefix(options)}`.replace(/\/$/, '');
}

export function regionOf({ region = 'us-east-1' }: S3StoreOptions): string {
  return region;
}
