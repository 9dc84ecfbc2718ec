/** The source `postgres`: a whole cluster, physically, with all the WAL it needs in order to start alone. */
import { asFailure, Failure, isFailure } from '../base/failure.ts';
import { type Progress, silent } from '../base/progress.ts';
import { BaseBackup, type BaseBackupResult } from '../postgres/base-backup.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../postgres/connection-settings.ts';
import type { DamagedPages } from '../postgres/damage.ts';
import { explained } from '../postgres/diagnose.ts';
import { readFacts, type ServerFacts } from '../postgres/facts.ts';
import { formatLsn } from '../postgres/lsn.ts';
import { ReplicationConnection } from '../postgres/replication-connection.ts';
import { readServerSetup, type ServerSetup } from '../postgres/server-settings.ts';
import { SqlSession } from '../postgres/sql.ts';
import { WalReceiver } from '../postgres/wal-receiver.ts';
import type { LooseEntry, Notify } from './entry.ts';
import { type BackupTally, clusterEntries } from './postgres/entries.ts';

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
}

/** What the manifest of a restore point tells about the cluster and this backup of it. Plain JSON. */
export interface PostgresFacts extends ServerFacts {
  readonly backup: BackupFacts;
}

export interface BackupFacts {
  readonly label: string;
  /** Log positions: the copy needs all WAL from `startLsn` on, and is consistent from `stopLsn` on. */
  readonly startLsn: string;
  readonly stopLsn: string;
  readonly timeline: number;
  readonly files: number;
  readonly bytes: number;
  readonly walSegments: number;
  /** The server manifest's checksum of itself (SHA-256, hexadecimal); every file was verified against that manifest. */
  readonly manifestChecksum: string;
  /** Where each tablespace was; in the point it is under `pg_tblspc/<oid>`. */
  readonly tablespaces: readonly { readonly oid: string; readonly location: string }[];
  /** Not empty: the server found pages with wrong checksums, and the point holds them as they were. */
  readonly damagedPages: readonly DamagedPages[];
}

export interface PostgresSource {
  /** Everything of the cluster, once; stream bodies must be consumed before the next entry is asked for. Ends only if all is well. */
  entries(): AsyncGenerator<LooseEntry, void, undefined>;
  /** What the manifest wants to know; call it once, after `entries` has ended. */
  facts(): Promise<PostgresFacts>;
}

const KEEP_WAL = 'ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf();';

/** Prepares a backup of the cluster; nothing is connected before `entries` is iterated. Throws Failure `config_invalid` for a bad URL. */
export function openPostgresSource(options: PostgresSourceOptions): PostgresSource {
  return new ClusterSource(options, parseConnectionUrl(options.url));
}

class ClusterSource implements PostgresSource {
  readonly #options: PostgresSourceOptions;
  readonly #settings: ConnectionSettings;
  readonly #tally: BackupTally = { files: 0, bytes: 0, walSegments: 0 };
  #setup: ServerSetup | undefined;
  #backup: BackupFacts | undefined;

  constructor(options: PostgresSourceOptions, settings: ConnectionSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  async *entries(): AsyncGenerator<LooseEntry, void, undefined> {
    if (this.#setup) throw new Failure('internal', 'A PostgreSQL source can be read once.');
    const { signal, label, notify = () => {} } = this.#options;
    await using open = new AsyncDisposableStack();
    const { setup, wal, backup } = await this.#begin(open).catch(async (error) => {
      throw await explained(asFailure(error), this.#settings, { signal });
    });
    const onBytes = this.#byteCounter(backup.estimatedBytes);
    const result = yield* this.#watched(
      setup,
      clusterEntries({ backup, wal, setup, notify, tally: this.#tally, onBytes }),
    );
    this.#backup = backupFacts(label, backup, result, this.#tally);
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
  async #begin(open: AsyncDisposableStack): Promise<{ setup: ServerSetup; wal: WalReceiver; backup: BaseBackup }> {
    const { signal, label } = this.#options;
    const setup = await this.#readSetup();
    this.#setup = setup;
    const wal = await WalReceiver.open(this.#settings, {
      segmentSize: setup.walSegmentSize,
      acknowledge: setup.synchronousStandbyNames === '',
      statusMs: statusInterval(setup.walSenderTimeoutMs),
      signal,
    });
    open.use(wal);
    const connection = await ReplicationConnection.open(this.#settings, { signal });
    open.use(connection);
    await refuseTwoClusters(wal, connection);
    const backup = await BaseBackup.start(connection, label);
    wal.start(backup.startLsn, backup.timeline);
    return { setup, wal, backup };
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

  async #readSetup(): Promise<ServerSetup> {
    await using sql = await SqlSession.open(this.#settings, { signal: this.#options.signal });
    return await readServerSetup(sql);
  }
}

function backupFacts(label: string, backup: BaseBackup, result: BaseBackupResult, tally: BackupTally): BackupFacts {
  return {
    label,
    startLsn: formatLsn(backup.startLsn),
    stopLsn: formatLsn(result.stopLsn),
    timeline: backup.timeline,
    ...tally,
    manifestChecksum: result.manifest.checksum,
    tablespaces: backup.tablespaces,
    damagedPages: result.damaged,
  };
}

/** A load balancer may send two connections to two servers; their WAL and files would not belong together. */
async function refuseTwoClusters(wal: WalReceiver, connection: ReplicationConnection): Promise<void> {
  const files = await connection.identify();
  if (files.systemIdentifier === wal.identity.systemIdentifier && files.timeline === wal.identity.timeline) return;
  throw new Failure('postgres_refused', 'Two connections to the same address reached two different servers.', {
    hint: 'Name one server in the URL, not a load balancer.',
  });
}

/** A third of what the server tolerates, five seconds at most. */
function statusInterval(walSenderTimeoutMs: number): number {
  return walSenderTimeoutMs > 0 ? Math.max(100, Math.min(5000, walSenderTimeoutMs / 3)) : 5000;
}
