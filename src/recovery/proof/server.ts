/** The running copy as the checks see it, and the ways in which a question to it may end. */
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure } from '../../base/failure.ts';
import { parseConnectionUrl } from '../../postgres/connection-settings.ts';
import { sqlstateOf } from '../../postgres/server-error.ts';
import { SqlSession } from '../../postgres/sql.ts';
import { Collector, type Finding } from './finding.ts';

/** A PostgreSQL that was started on a restored copy. */
export interface RunningCopy {
  /** The source it was restored from. */
  readonly source: string;
  /** A URL of a superuser. */
  url(database?: string): string;
  /** Its data directory. */
  readonly directory: string;
}

export interface CheckWorld {
  readonly copy: RunningCopy;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The longest time for one query, in milliseconds. */
  readonly queryLimitMs: number;
}

/** SQLSTATEs that mean damage rather than a wrong question: data_corrupted, index_corrupted. */
const DAMAGE = new Set(['XX001', 'XX002']);
const CANCELLED = '57014';

/** For questions to the catalogue; what `ask` asks has the limit of the checks. */
export function openSql({ copy, signal }: CheckWorld, database?: string): Promise<SqlSession> {
  return SqlSession.open(parseConnectionUrl(copy.url(database)), { signal });
}

/** Every database that takes connections, templates left out. */
export async function listDatabases(world: CheckWorld): Promise<readonly string[]> {
  await using sql = await openSql(world);
  const rows = await sql.rows(
    'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname',
    [],
    'Listing the databases',
  );
  return rows.map(({ datname }) => String(datname));
}

/** For example `17.10`, without what a packager adds to it. */
export async function serverVersion(world: CheckWorld): Promise<string> {
  await using sql = await openSql(world);
  const [row] = await sql.rows("SELECT current_setting('server_version') AS version");
  return String(row?.version).split(' ')[0] ?? '';
}

/** What asking needs: where, and where the answer goes. */
export interface Asking {
  readonly world: CheckWorld;
  readonly sql: SqlSession;
  readonly database: string;
  readonly found: Collector;
}

/** Runs one check; whatever it could not do is a problem of its finding, unless the operator interrupts. */
export async function runCheck(
  world: CheckWorld,
  check: string,
  unit: string,
  work: (found: Collector) => Promise<void>,
): Promise<Finding> {
  const found = new Collector(check, world.copy.source, unit, world.clock);
  try {
    await work(found);
  } catch (error) {
    world.signal.throwIfAborted();
    found.problem(`The check could not be carried out: ${asFailure(error).message}`);
  }
  return found.finish();
}

/** A check that is done in each database, in a session of its own. */
export function checkEachDatabase(
  world: CheckWorld,
  databases: readonly string[],
  check: string,
  unit: string,
  work: (asking: Asking) => Promise<void>,
): Promise<Finding> {
  return runCheck(world, check, unit, async (found) => {
    for (const database of databases) {
      await using sql = await openSql(world, database);
      await work({ world, sql, database, found });
    }
  });
}

/**
 * Asks about one thing within the time there is for it. Out of time, it is unfinished; any error of the server is a problem. Undefined in
 * both cases.
 */
export async function ask<T>(
  { world, sql, found }: Asking,
  what: string,
  question: () => Promise<T>,
): Promise<T | undefined> {
  try {
    await sql.run(`SET statement_timeout = ${Math.round(world.queryLimitMs)}`);
    return await question();
  } catch (error) {
    world.signal.throwIfAborted();
    const failure = asFailure(error);
    const state = sqlstateOf(failure);
    if (state === CANCELLED) found.unfinished(`${what}: not finished within ${world.queryLimitMs / 1000} s.`);
    else if (state === '') throw failure;
    else found.problem(`${what}: ${DAMAGE.has(state) ? 'damaged: ' : ''}${serverWords(failure)}`);
    return undefined;
  }
}

/** What the server said, without the words that were put before it. */
function serverWords({ message }: Failure): string {
  return message.replace(/^A query failed: /, '');
}
