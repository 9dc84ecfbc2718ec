/**
 * What a restore point's manifest tells about a cluster: what it is, what recovery needs, what is in it. All figures of the configured
 * database come from one REPEATABLE READ transaction; other databases are asked one after the other. Everything is plain JSON.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { type DatabaseFacts, readDatabases, readTablespaces, type TablespaceFacts } from './facts/databases.ts';
import { type CollationFacts, type ExtensionFacts, readCollations, readExtensions } from './facts/extensions.ts';
import { countRows, type TableRows } from './facts/row-counts.ts';
import { readServerSetup } from './server-settings.ts';
import { type SqlRow, SqlSession } from './sql.ts';

export type { CollationFacts, DatabaseFacts, ExtensionFacts, TableRows, TablespaceFacts };

export interface ServerFacts {
  /** For example `17.10`. */
  readonly version: string;
  /** For example 170010. */
  readonly versionNum: number;
  /** A 64-bit number, as text. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Where the cluster is on the server; absent when the role may not know (it needs pg_read_all_settings). */
  readonly dataDirectory?: string;
  readonly inRecovery: boolean;
  /** Bytes. */
  readonly blockSize: number;
  /** Bytes. */
  readonly walSegmentSize: number;
  readonly dataChecksums: boolean;
  /** Settings that a restored cluster needs, by name. */
  readonly settings: Readonly<Record<string, string>>;
  /** The configured database. */
  readonly database: DatabaseFacts;
  /** Every database that is no template. */
  readonly databases: readonly DatabaseFacts[];
  readonly tablespaces: readonly TablespaceFacts[];
  readonly extensions: readonly ExtensionFacts[];
  readonly collations: readonly CollationFacts[];
  /** The number of the next transaction in the snapshot that counted the rows, as text: a copy with the same holds the same rows. */
  readonly nextTransaction?: string;
  /** Ordinary tables and leaf partitions of the configured database. */
  readonly tables: readonly TableRows[];
  /** First column of the configured migrations query. */
  readonly migrations?: readonly string[];
  /** What could not be learned, and the statement that would change it. */
  readonly notes: readonly string[];
}

export interface FactsOptions {
  readonly signal?: AbortSignal | undefined;
  /** A query whose first column names the applied migrations. */
  readonly migrations?: string | undefined;
  /** Time for exact row counts, in milliseconds; what does not fit is estimated. Default 20 s. */
  readonly countBudgetMs?: number;
  readonly clock?: Clock;
}

const DEFAULT_COUNT_BUDGET_MS = 20_000;
const MAX_MIGRATIONS = 100_000;

/** Collects the facts; throws Failure when the server cannot be asked or the migrations query fails. */
export async function readFacts(settings: ConnectionSettings, options: FactsOptions = {}): Promise<ServerFacts> {
  const { signal, clock = systemClock, countBudgetMs = DEFAULT_COUNT_BUDGET_MS } = options;
  await using sql = await SqlSession.open(settings, { signal });
  const setup = await readServerSetup(sql);
  await sql.run('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const notes: string[] = [];
  const control = await readControl(sql);
  const dataDirectory = await readDataDirectory(sql);
  const databases = await readDatabases(sql, setup.versionNum);
  const migrations = options.migrations === undefined ? undefined : await readMigrations(sql, options.migrations);
  const facts: ServerFacts = {
    version: setup.version,
    versionNum: setup.versionNum,
    systemIdentifier: String(control.system_identifier),
    timeline: Number(control.timeline),
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    inRecovery: setup.inRecovery,
    blockSize: Number(control.block_size),
    walSegmentSize: setup.walSegmentSize,
    dataChecksums: control.data_checksums === 'on',
    settings: setup.carried,
    database: databases.find((database) => database.name === settings.database) ?? unknownDatabase(settings.database),
    databases: databases.filter((database) => !database.template),
    tablespaces: await readTablespaces(sql),
    collations: await readCollations(sql, settings.database),
    nextTransaction: String(control.next_transaction),
    tables: await countRows(sql, { budgetMs: countBudgetMs, clock, user: settings.user, notes }),
    extensions: await readExtensions(sql, settings, databases, { signal, notes }),
    ...(migrations === undefined ? {} : { migrations }),
    notes,
  };
  await sql.run('COMMIT');
  return facts;
}

async function readControl(sql: SqlSession): Promise<SqlRow> {
  const [row] = await sql.rows(
    `SELECT system_identifier::text, timeline_id::text AS timeline, current_setting('block_size') AS block_size,
            current_setting('data_checksums') AS data_checksums, pg_snapshot_xmax(pg_current_snapshot())::text AS next_transaction
       FROM pg_control_system(), pg_control_checkpoint()`,
    [],
    "Reading the cluster's identity",
  );
  return row ?? {};
}

/** `pg_settings` leaves out what the role may not see, where SHOW would end the transaction. */
async function readDataDirectory(sql: SqlSession): Promise<string | undefined> {
  const [row] = await sql.rows("SELECT setting FROM pg_settings WHERE name = 'data_directory'");
  return typeof row?.setting === 'string' && row.setting !== '' ? row.setting : undefined;
}

async function readMigrations(sql: SqlSession, query: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const row of sql.stream(query, 'The migrations query')) {
    names.push(row[0] ?? '');
    if (names.length === MAX_MIGRATIONS) break;
  }
  return names;
}

function unknownDatabase(name: string): DatabaseFacts {
  return { name, bytes: null, encoding: '', provider: '', collate: '', ctype: '', template: false };
}
