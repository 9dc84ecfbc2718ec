/** Directories for PostgreSQL's account, and what restored ones hold. */
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serverAccount } from '../../src/postgres/account.ts';
import { startPostgres, type TestServer } from '../../test/support/postgres/server.ts';
import { runOk } from '../../test/support/run.ts';
import type { BenchContext } from './context.ts';

/** A new directory that the server's account may write to, below ones that it may pass. Default: in the workspace. */
export async function ownDirectory({ workspace }: BenchContext, name: string, below = workspace.path): Promise<string> {
  const path = below === workspace.path ? workspace.place(name) : join(below, name);
  await mkdir(path, { mode: 0o700 });
  const account = serverAccount();
  if (account) {
    await runOk('chmod', ['755', workspace.path]);
    await chown(path, account.uid, account.gid);
  }
  return path;
}

/** What a query of one row says, to be compared. */
export async function contents(server: Pick<TestServer, 'sql'>, query: string): Promise<string> {
  return JSON.stringify(await server.sql(query));
}

/** Starts a restored data directory, and throws unless the query says there what it said before. */
export async function assertHolds(dataDir: string, major: number, query: string, expected: string): Promise<void> {
  await using restored = await startPostgres({ major, dataDir, settings: { archive_mode: 'off' } });
  const found = await contents(restored, query);
  if (found !== expected) throw new Error(`${dataDir} holds ${found} instead of ${expected}`);
}
