/** Directories that vanish with the test: `await using dir = await tempDir();`, or `dir.remove()` in an `after` hook. */
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerAccount } from '../../src/postgres/account.ts';

export interface TempDir extends AsyncDisposable {
  readonly path: string;
  /** `path` with `parts` joined to it. */
  join(...parts: string[]): string;
  remove(): Promise<void>;
}

export interface TempDirOptions {
  /** Begins the directory's name. Short, because Unix sockets may live inside (their paths end at 107 bytes). */
  readonly prefix?: string;
  /** Gives the directory to this account, so that a server started as it can write here. */
  readonly owner?: ServerAccount | undefined;
  /** Lets every account read and pass through it. Default: only when there is an `owner`. */
  readonly open?: boolean;
}

export async function tempDir(options: TempDirOptions = {}): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `${options.prefix ?? 'hf'}-`));
  if (options.open ?? options.owner !== undefined) await chmod(path, 0o755);
  if (options.owner !== undefined) await chown(path, options.owner.uid, options.owner.gid);
  const remove = () => rm(path, { recursive: true, force: true, maxRetries: 3 });
  return { path, join: (...parts) => join(path, ...parts), remove, [Symbol.asyncDispose]: remove };
}
