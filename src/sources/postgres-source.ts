/** The source `postgres`: a whole cluster, physically, with all the WAL it needs in order to start alone. */
import { systemClock } from '../base/clock.ts';
import { asFailure, Failure, isFailure } from '../base/failure.ts';
import { type Progress, silent } from '../base/progress.ts';
import type { BaseBackupResult } from '../postgres/base-backup.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../postgres/connection-settings.ts';
import { explained } from '../postgres/diagnose.ts';
import { readFacts, type ServerFacts } from '../postgres/facts.ts';
import { type ClusterIdentity, ReplicationConnection } from '../postgres/replication-connection.ts';
import { readServerSetup, type ServerSetup } from '../postgres/server-settings.ts';
import { SqlSession } from '../postgres/sql.ts';
import { WalReceiver } from '../postgres/wal-receiver.ts';
import type { LooseEntry, Notify } from './entry.ts';
import { type BackupFacts, backupFacts, type Comparison } from './postgres/backup-facts.ts';
import type { BaseCopy, FullReason } from './postgres/base-copy.ts';
import { type ChangedFile, changedFiles } from './postgres/changed-files.ts';
import { type BackupTally, clusterEntries } from './postgres/entries.ts';
import { grainPolicy } from './postgres/grain.ts';
import { type StartedBackup, startBackup } from './postgres/start-backup.ts';

export type { BackupFacts, BaseCopy, ChangedFile, Comparison, FullReason };

export interface PostgresSourceOptions {
  /** A libpq URL. */
  readonly url: string;
  /** Shown in `backup_label` inside the backup. */
  readonly label: string;
  readonly signal?: AbortSignal | undefined;
  readonly progress?: Progress;
  /** The step under which progress is reported. Default `postgres`. */
  readonly step?: string;
  readonly notify?: Notify;
  /** A query whose first column names the applied migrations. */
  readonly migrations?: string | undefined;
  /** Milliseconds for exact row counts. Default 20 s. */
  readonly countBudgetMs?: number;
  /** The earlier copy to build on, or why there is none. Default: none. */
  readonly base?: BaseCopy | FullReason;
  /** Read everything, whatever there is to build on. Default false. */
  readonly full?: boolean;
  /** The time, in milliseconds. Default: the system's. */
  readonly now?: number;
}

/** What the manifest of a restore point tells about the cluster and this backup of it. Plain JSON. */
export interface PostgresFacts extends ServerFacts {
  readonly backup: BackupFacts;
}

export interface PostgresSource {
  /** Whether the server sends changes only; known once the first entry has come. */
  readonly isIncremental: boolean;
  /** Everything of the cluster, once; stream bodies must be consumed before the next entry is asked for. Ends only if all is well. */
  entries(): AsyncGenerator<LooseEntry, void, undefined>;
  /**
   * After a full reading: what the server says has changed since the earlier copy, by an incremental backup of which only the headers are kept.
   * `undefined` where that cannot be compared with what was read.
   */
  changesSinceBase(): AsyncGenerator<ChangedFile, void, undefined> | undefined;
  /** What the manifest wants to know; call it once, after `entries` has ended. */
  facts(): Promise<PostgresFacts>;
}

const KEEP_WAL = 'ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();';

/** Prepares a backup of the cluster; nothing is connected before `entries` is iterated. Throws Failure `config_invalid` for a bad URL. */
export function openPostgresSource(options: PostgresSourceOptions): PostgresSource {
  return new ClusterSource(options, parseConnectionUrl(options.url));
}

interface Begun extends StartedBackup {
  readonly setup: ServerSetup;
  readonly wal: WalReceiver;
}

class ClusterSource implements PostgresSource {
  readonly #options: PostgresSourceOptions;
  readonly #settings: ConnectionSettings;
  readonly #tally: BackupTally = { files: 0, bytes: 0, walSegments: 0 };
  isIncremental = false;
  #comparable = false;
  #setup: ServerSetup | undefined;
  #backup: BackupFacts | undefined;

  constructor(options: PostgresSourceOptions, settings: ConnectionSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  async *entries(): AsyncGenerator<LooseEntry, void, undefined> {
    if (this.#setup) throw new Failure('internal', 'A PostgreSQL source can be read once.');
    const { signal, notify = () => {} } = this.#options;
    await using open = new AsyncDisposableStack();
    const begun = await this.#begin(open).catch(async (error) => {
      throw await explained(asFailure(error), this.#settings, { signal });
    });
    const { setup, wal, backup, changes } = begun;
    const grain = grainPolicy(backup.estimatedBytes, setup.summarizesWal);
    const onBytes = this.#byteCounter(backup.estimatedBytes);
    const result = yield* this.#watched(
      setup,
      clusterEntries({ backup, wal, setup, grain, changes, notify, tally: this.#tally, onBytes }),
    );
    this.#backup = backupFacts(this.#options.label, begun, result, this.#tally, this.#now());
    for (const { path, blocks } of result.damaged) {
      const which = blocks.length > 0 ? `blocks ${blocks.join(', ')}` : 'pages';
      notify({ kind: 'damaged', item: path, reason: `damaged ${which}: the server found wrong page checksums` });
    }
  }

  /** A walsender whose slot was taken away dies without a word: its silence is told from that of a server that is gone. */
  async *#watched(
    setup: ServerSetup,
    entries: AsyncGenerator<LooseEntry, BaseBackupResult, undefined>,
  ): AsyncGenerator<LooseEntry, BaseBackupResult, undefined> {
    try {
      return yield* entries;
    } catch (error) {
      if (!setup.slotWalLimited || !isFailure(error, 'postgres_unreachable') || !(await this.#answers())) throw error;
      throw new Failure(
        'postgres_backup_failed',
        `The server ended the backup's connection but still runs: ${error.message}`,
        {
          hint: `Most likely it removed WAL that the backup needs. ${KEEP_WAL}`,
          cause: error,
        },
      );
    }
  }

  async #answers(): Promise<boolean> {
    const answer = await this.#readSetup().catch(() => undefined);
    return answer !== undefined;
  }

  /** Makes the slot, starts the backup, then the WAL stream; what was opened goes onto `open`. */
  async #begin(open: AsyncDisposableStack): Promise<Begun> {
    const { signal } = this.#options;
    const setup = await this.#readSetup();
    this.#setup = setup;
    const wal = await WalReceiver.open(this.#settings, {
      segmentSize: setup.walSegmentSize,
      acknowledge: setup.synchronousStandbyNames === '',
      statusMs: statusInterval(setup.walSenderTimeoutMs),
      signal,
    });
    open.use(wal);
    const started = await startBackup({
      label: this.#options.label,
      setup,
      base: this.#options.base ?? { reason: 'nothing to build on was given', expected: true },
      full: this.#options.full ?? false,
      now: this.#now(),
      connect: () => this.#connect(open, wal),
      openSql: () => SqlSession.open(this.#settings, { signal }),
      signal,
    });
    this.isIncremental = started.changes !== undefined;
    this.#comparable = started.comparable === true && setup.logsHints;
    this.#tellFallback(started.fallback);
    wal.start(started.backup.startLsn, started.backup.timeline);
    return { setup, wal, ...started };
  }

  async #connect(open: AsyncDisposableStack, wal: WalReceiver): Promise<ReplicationConnection> {
    const connection = await ReplicationConnection.open(this.#settings, { signal: this.#options.signal });
    open.use(connection);
    await refuseTwoClusters(wal.identity, connection);
    return connection;
  }

  changesSinceBase(): AsyncGenerator<ChangedFile, void, undefined> | undefined {
    const { base, label, signal } = this.#options;
    const setup = this.#setup;
    if (this.isIncremental || !setup || !this.#comparable || base === undefined || 'reason' in base) return undefined;
    const input = { label, setup, openSql: () => SqlSession.open(this.#settings, { signal }) };
    const connect = () => ReplicationConnection.open(this.#settings, { signal });
    return changedFiles(connect, input, base);
  }

  #byteCounter(totalBytes: number): (bytes: number, current: string) => void {
    const { progress = silent, step = 'postgres' } = this.#options;
    return (bytes, current) => progress({ type: 'advance', step, bytes, totalBytes, current });
  }

  async facts(): Promise<PostgresFacts> {
    if (!this.#backup) throw new Failure('internal', 'The facts of a PostgreSQL backup exist once it has ended.');
    const { signal, migrations, countBudgetMs } = this.#options;
    const facts = await readFacts(this.#settings, {
      signal,
      migrations,
      ...(countBudgetMs === undefined ? {} : { countBudgetMs }),
    });
    return { ...facts, backup: this.#backup };
  }

  #now(): number {
    return this.#options.now ?? systemClock.now();
  }

  #tellFallback(fallback: FullReason | undefined): void {
    if (fallback === undefined || fallback.expected) return;
    this.#options.notify?.({ kind: 'note', item: 'full backup', reason: fallback.reason });
  }

  async #readSetup(): Promise<ServerSetup> {
    await using sql = await SqlSession.open(this.#settings, { signal: this.#options.signal });
    return await readServerSetup(sql);
  }
}

/** A load balancer may send two connections to two servers; their WAL and files would not belong together. */
async function refuseTwoClusters(wal: ClusterIdentity, connection: ReplicationConnection): Promise<void> {
  const files = await connection.identify();
  if (files.systemIdentifier === wal.systemIdentifier && files.timeline === wal.timeline) return;
  throw new Failure('postgres_refused', 'Two connections to the same address reached two different servers.', {
    hint: 'Name one server in the URL, not a load balancer.',
  });
}

/** A third of what the server tolerates, five seconds at most. */
function statusInterval(walSenderTimeoutMs: number): number {
  return walSenderTimeoutMs > 0 ? Math.max(100, Math.min(5000, walSenderTimeoutMs / 3)) : 5000;
}
