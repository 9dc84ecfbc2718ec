/** Where a benchmark keeps its data and repositories: one directory that vanishes with the run. */
import { lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../test/support/run.ts';

export class Workspace implements AsyncDisposable {
  readonly path: string;
  #next = 0;

  private constructor(path: string) {
    this.path = path;
  }

  /** Below `base`, or where the system keeps temporary files. */
  static async create(base = tmpdir()): Promise<Workspace> {
    await mkdir(base, { recursive: true });
    return new Workspace(await mkdtemp(join(base, 'holdfast-bench-')));
  }

  /** A path that does not exist yet; `name` is for the reader. */
  place(name: string): string {
    return join(this.path, `${name}-${this.#next++}`);
  }

  /** A new, empty directory. */
  async directory(name: string): Promise<string> {
    const path = this.place(name);
    await mkdir(path);
    return path;
  }

  /** Removes directories, in the manner that is fastest for many files. */
  async remove(...paths: readonly string[]): Promise<void> {
    if (paths.length > 0) await run('rm', ['-rf', '--', ...paths], { timeoutMs: 600_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Bytes of all files below `path`. */
export async function bytesBelow(path: string): Promise<number> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return stats.size;
  let sum = 0;
  for (const name of await readdir(path)) sum += await bytesBelow(join(path, name));
  return sum;
}
