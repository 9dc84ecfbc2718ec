/** What is known about a storage once the configuration is read and its secrets are resolved. */
import type { ObjectLockOptions } from './s3/options.ts';

export type { ObjectLockOptions } from './s3/options.ts';

export type StorageSettings = LocalStorageSettings | S3StorageSettings;

interface CommonSettings {
  /** Its name in the configuration. */
  readonly name: string;
  /** Requests at the same time; default 8. */
  readonly connections?: number;
  /** Bytes per second to the storage; default unbounded. */
  readonly uploadLimit?: number;
  /** Bytes per second from the storage; default unbounded. */
  readonly downloadLimit?: number;
}

export interface LocalStorageSettings extends CommonSettings {
  readonly type: 'local';
  readonly path: string;
}

export interface S3StorageSettings extends CommonSettings {
  readonly type: 's3';
  readonly endpoint?: string;
  readonly bucket: string;
  readonly prefix?: string;
  readonly region?: string;
  readonly pathStyle?: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly objectLock?: ObjectLockOptions;
}
