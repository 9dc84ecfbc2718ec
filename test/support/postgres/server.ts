/** PostgreSQL for tests: `await using pg = await startPostgres({ major: 17 })`. Files, sockets and processes vanish with it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { giveTo, serverAccount } from '../../../src/postgres/account.ts';
import { type InstanceUrl, PostgresInstance, type StopMode } from '../../../src/postgres/instance.ts';
import { findPrograms, programsFor, type ServerPrograms } from '../../../src/postgres/programs.ts';
import { need } from '../needs.ts';
import { type TempDir, tempDir } from '../temp.ts';
import { newCluster } from './new-cluster.ts';

/** Every supported major version; 15 comes from Debian, the others from npm. */
const SUPPORTED: readonly number[] = [15, 16, 17, 18];

/** The supported majors that can be started here, installing 15 where that is possible. */
export async function majors(): Promise<readonly number[]> {
  await need('postgres15');
  const found = (await findPrograms({ path: process.env.PATH })).map((programs) => programs.major);
  return SUPPORTED.filter((major) => found.includes(major));
}

export interface TestServerOptions {
  readonly major: number;
  readonly settings?: Readonly<Record<string, string>>;
  /** Default true. */
  readonly checksums?: boolean;
  readonly walSegmentMiB?: number;
  /** Lines of pg_hba.conf. Default: everyone on the socket and on loopback is trusted. */
  readonly hba?: string;
  /** Starts on this existing data directory instead of a new cluster; it is given to the server's account. */
  readonly dataDir?: string;
  readonly startTimeoutMs?: number;
}

export interface TestServer extends AsyncDisposable {
  readonly major: number;
  readonly dataDir: string;
  readonly instance: PostgresInstance;
  /** An empty directory that belongs to the server's account and goes with the server. */
  readonly directory: TempDir;
  url(options?: InstanceUrl): string;
  /** Runs SQL as the superuser; rows of the last statement. */
  sql(text: string, database?: string): Promise<readonly Record<string, unknown>[]>;
  stop(mode?: StopMode): Promise<void>;
}

/** A machine that does much else starts a server in its own time. */
const START_MS = 5 * 60_000;
/** Durability is of no interest to a test, and what a server does by itself, some time, is chance: commits, changed pages, log. */
const FAST = {
  fsync: 'off',
  full_page_writes: 'on',
  shared_buffers: '16MB',
  max_wal_size: '128MB',
  autovacuum: 'off',
  checkpoint_timeout: '1h',
};

export async function startPostgres(options: TestServerOptions): Promise<TestServer> {
  const account = serverAccount();
  const directory = await tempDir({ prefix: 'hf-pg', owner: account });
  const dataDir = options.dataDir ?? join(directory.path, 'data');
  try {
    const programs = await programsOf(options.major);
    if (options.dataDir === undefined) {
      const { checksums, walSegmentMiB, hba } = options;
      await newCluster({
        ...{ programs, dataDir, account },
        ...(checksums === undefined ? {} : { checksums }),
        ...(walSegmentMiB === undefined ? {} : { walSegmentMiB }),
        ...(hba === undefined ? {} : { hba }),
      });
    } else if (account) {
      await giveTo(account, dataDir);
    }
    const instance = await PostgresInstance.start({
      programs,
      dataDir,
      account,
      loopback: true,
      settings: { ...FAST, ...options.settings },
      startTimeoutMs: options.startTimeoutMs ?? START_MS,
    });
    return testServer(options.major, instance, directory);
  } catch (error) {
    await directory.remove();
    throw error;
  }
}

/** The programs of each version, looked for once. */
const known = new Map<number, Promise<ServerPrograms>>();

function programsOf(major: number): Promise<ServerPrograms> {
  const found = known.get(major) ?? programsFor(major, { path: process.env.PATH });
  known.set(major, found);
  return found;
}

function testServer(major: number, instance: PostgresInstance, directory: TempDir): TestServer {
  const stop = async (mode?: StopMode) => {
    await instance.stop(mode);
    await rm(directory.path, { recursive: true, force: true, maxRetries: 3 });
  };
  return {
    major,
    instance,
    directory,
    dataDir: instance.dataDir,
    url: (options) => instance.url(options),
    sql: (text, database = 'postgres') => runSql(instance.url({ database }), text),
    stop,
    [Symbol.asyncDispose]: () => stop('immediate'),
  };
}

/** Runs SQL over a connection of its own; rows of the last statement. */
export async function runSql(url: string, text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  await client.connect();
  try {
    const result: unknown = await client.query(text);
    const last = Array.isArray(result) ? result.at(-1) : result;
    return (last as { rows: Record<string, unknown>[] }).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
