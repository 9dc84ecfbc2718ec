/** What the program works with: values of the file with secrets fetched, defaults filled in, durations in ms, sizes in bytes, paths absolute. */

export interface StorageLimits {
  /** Requests at the same time. */
  readonly connections: number;
  /** Bytes per second; absent: unbounded. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
}

export interface LocalStorageSettings extends StorageLimits {
  readonly type: 'local';
  readonly name: string;
  readonly path: string;
}

export interface S3StorageSettings extends StorageLimits {
  readonly type: 's3';
  readonly name: string;
  /** An http or https URL without user information; absent: AWS. */
  readonly endpoint?: string;
  readonly bucket: string;
  /** Without slashes at either end; empty for the whole bucket. */
  readonly prefix: string;
  readonly region: string;
  /** Absent: true when there is an endpoint. */
  readonly pathStyle?: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly objectLock?: { readonly days: number; readonly mode: 'governance' | 'compliance' };
}

export type StorageSettings = LocalStorageSettings | S3StorageSettings;

/** Servers that are started on restored copies. */
export interface PostgresSettings {
  /** `bin` directories, absolute; looked into before any other. */
  readonly programs: readonly string[];
  /** The account that runs them when this program runs as root. Absent: postgres, where there is one. */
  readonly account?: string;
}

/** Where the service keeps its records: a file of SQLite, absolute, or a database of PostgreSQL. */
export type CatalogSettings = { readonly path: string } | { readonly url: string };

/** How long the service keeps what, in ms. */
export interface KeepSettings {
  readonly events: number;
  readonly logs: number;
  readonly runs: number;
  readonly figures: number;
  readonly dailyFigures: number;
  readonly deliveries: number;
  readonly alerts: number;
  readonly approvals: number;
}

export type Role = 'viewer' | 'operator' | 'administrator';

/** A role for these apps; without apps, for all. */
export interface RoleForApps {
  readonly role: Role;
  readonly apps?: readonly string[];
}

/** Log-in through an OpenID provider. */
export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly title: string;
  /** Besides openid and profile. */
  readonly scopes: readonly string[];
  /** What the groups in a claim of the ID token may do. */
  readonly roles: { readonly claim: string; readonly map: Readonly<Record<string, RoleForApps>> };
}

/** Who may come in and how, and what takes two people. */
export interface AccessSettings {
  /** Milliseconds. */
  readonly sessions: { readonly idle: number; readonly longest: number };
  /** Kinds of runs that wait for another person's approval. */
  readonly secondPerson: readonly string[];
  /** Milliseconds that they wait. */
  readonly approvals: { readonly within: number };
  /** Addresses and networks in CIDR form. */
  readonly trustedProxies: readonly string[];
  /** Absolute paths. */
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly oidc?: OidcSettings;
  /** Seals secrets in the catalog. */
  readonly key?: string;
}

export interface ServerSettings extends AccessSettings {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Where people reach it; absent: at what it listens on. */
  readonly url?: string;
}

/** Files that the server takes in and gives out. */
export interface ExchangeSettings {
  /** Absolute. */
  readonly directory: string;
  /** Bytes. */
  readonly maxUpload: number;
  /** Milliseconds. */
  readonly keep: number;
}

export interface WorkerSettings {
  /** Absent: the name of the machine. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Runs at once. */
  readonly concurrency: number;
}

export interface PackingSettings {
  /** Bytes after which a pack is closed. */
  readonly packSize: number;
  /** A zstd level, or a word: `auto` (balanced, skips what does not shrink), `max`, `off`. */
  readonly compression: 'auto' | 'max' | 'off' | number;
}

export interface PostgresSourceSettings {
  readonly type: 'postgres';
  readonly name: string;
  readonly url: string;
  readonly wal: WalSettings;
}

/** The WAL archive of a cluster. */
export interface WalSettings {
  readonly mode: 'stream' | 'push' | 'off';
  /** Absent: `holdfast_<app>_<source>`. */
  readonly slot?: string;
  /** Absolute. */
  readonly spool: string;
  /** Bytes. */
  readonly spoolLimit: number;
  /** Milliseconds. */
  readonly flushEvery: number;
  /** Where WAL must be before the server may take it for safe: the spool, or this many storages. */
  readonly acknowledge: 'spool' | number;
  /** Bytes. */
  readonly slotLimit: number;
  /** Milliseconds. */
  readonly foldAfter: number;
  /** The stream has a point made after a gap. */
  readonly baseAfterGap: boolean;
}

export interface FilesSourceSettings {
  readonly type: 'files';
  readonly name: string;
  readonly path: string;
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  /** Leave out directories that carry a CACHEDIR.TAG. */
  readonly excludeCaches: boolean;
}

export interface ConfigSourceSettings {
  readonly type: 'config';
  readonly name: string;
  /** As written: relative to `base`, or absolute. */
  readonly paths: readonly string[];
  readonly base: string;
  /** What happens to values that look secret: masked, kept, or the file left out. */
  readonly secrets: 'mask' | 'keep' | 'omit';
}

export type SourceSettings = PostgresSourceSettings | FilesSourceSettings | ConfigSourceSettings;
export type SourceType = SourceSettings['type'];

export interface RetentionSettings {
  readonly last?: number;
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
  readonly monthly?: number;
  readonly yearly?: number;
  /** Milliseconds. */
  readonly within?: number;
}

/** What the app itself knows about being whole; asked of a restored copy. */
export interface ProofSettings {
  /** A query must return one row whose first column is true. `database`: the postgres source it runs in. */
  readonly assertions: readonly { readonly name: string; readonly query: string; readonly database: string }[];
  /** Program and arguments of each; run without a shell, with the copy's address in the environment. */
  readonly commands: readonly (readonly string[])[];
}

/** One step of a recovery: exactly one of run, hook, check and confirm. */
export interface RunbookStepSettings {
  readonly title: string;
  readonly run?: readonly string[];
  readonly hook?: readonly string[];
  readonly check?: readonly string[];
  readonly confirm?: string;
  /** Milliseconds. */
  readonly budget: number;
  readonly drill?: 'same' | 'skip' | readonly string[];
}

export interface RunbookSettings {
  readonly steps: readonly RunbookStepSettings[];
  readonly escalate?: readonly string[];
}

export interface AppSettings {
  readonly name: string;
  /** Hooks and other commands of the app run here: the directory of the configuration file. */
  readonly directory: string;
  /** The postgres sources, in the order of the file, and whether their WAL is archived. */
  readonly databases: readonly { readonly name: string; readonly archived: boolean }[];
  /** Milliseconds. */
  readonly objectives: { readonly rpo?: number; readonly rto?: number };
  /** `database` is the postgres source the query runs in, `source` the files source whose files its rows name. */
  readonly references: readonly { readonly query: string; readonly source: string; readonly database: string }[];
  readonly migrations?: { readonly query: string; readonly database: string };
  readonly tenants?: {
    readonly table: string;
    readonly key: string;
    readonly name?: string;
    readonly database: string;
  };
  readonly proof: ProofSettings;
  /** Program and arguments of each; run without a shell. */
  readonly hooks: {
    readonly beforeBackup?: readonly string[];
    readonly afterBackup?: readonly string[];
    readonly beforeRestore?: readonly string[];
    readonly afterRestore?: readonly string[];
  };
  /** Absent: the one that every app has. */
  readonly runbook?: RunbookSettings;
  readonly retention?: RetentionSettings;
  readonly retentionByStorage: Readonly<Record<string, RetentionSettings>>;
  /** Facts for the manifest: the app's version as text, the checkout whose commit and branch count. */
  readonly application: { readonly version?: string; readonly git?: string };
}
