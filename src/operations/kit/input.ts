/** What the recovery kit is made from. */

export interface KitStorage {
  readonly name: string;
  readonly type: 'local' | 's3';
  /** For people: a path or endpoint, bucket and prefix. */
  readonly location: string;
  /** What restic calls it: the value of `-r`. */
  readonly restic: string;
  /** The storage in the configuration of this program, as a value on one line of YAML; credentials come from the environment, as with restic. */
  readonly settings: string;
  /** For an S3 storage: where its credentials are kept, never what they are. */
  readonly credentials?: string;
}

export interface KitSource {
  readonly name: string;
  readonly type: 'postgres' | 'files' | 'config';
  /** Where a files source was. */
  readonly path?: string;
  /** Its WAL is archived. */
  readonly wal?: boolean;
  /** PostgreSQL's major version, as of the newest point. */
  readonly major?: number;
  /** The database that the source names, as of the newest point. */
  readonly database?: string;
}

export interface KitApp {
  readonly name: string;
  readonly sources: readonly KitSource[];
  /** RFC 3339 time of the newest point, when there is one. */
  readonly newestPoint?: string;
}

export interface KitInput {
  /** RFC 3339. */
  readonly madeAt: string;
  readonly programVersion: string;
  readonly repositoryId: string;
  /** Short ids of the key files, one for each password. */
  readonly keys: readonly string[];
  /** Where the password is kept, such as `file /etc/holdfast/password`. */
  readonly passwordKept: string;
  /** Only when the operator asked for it on paper. */
  readonly password?: string;
  readonly configFile: string;
  readonly storages: readonly KitStorage[];
  readonly apps: readonly KitApp[];
}
