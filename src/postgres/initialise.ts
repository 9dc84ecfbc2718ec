/** Makes a new, empty cluster with `initdb`. */
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../base/failure.ts';
import { makeDirectories } from '../base/make-directories.ts';
import type { ServerAccount } from './account.ts';
import { programsReadableBy, type ServerPrograms } from './programs.ts';
import { runProgram } from './run-program.ts';

export interface InitialiseOptions {
  readonly programs: ServerPrograms;
  /** Created; its parent must let `account` pass. */
  readonly dataDir: string;
  readonly account: ServerAccount | undefined;
  /** Name of the first superuser. Default `postgres`. */
  readonly superuser?: string;
  /** Default true. */
  readonly checksums?: boolean;
  /** MiB, a power of two. Default 16. */
  readonly walSegmentMiB?: number;
  /** Whether the new files are flushed to disk. Default true; tests do without. */
  readonly sync?: boolean;
  /** Lines of pg_hba.conf instead of initdb's. Default: everyone on the socket and on loopback is trusted. */
  readonly hba?: string;
  readonly signal?: AbortSignal | undefined;
}

/** `initdb --no-data-checksums` exists from 18 on, where checksums became the default. */
const CHECKSUMS_BY_DEFAULT = 18;

/** Creates the cluster; throws Failure `postgres_start_failed` with what initdb said. */
export async function initialiseCluster(options: InitialiseOptions): Promise<void> {
  const {
    dataDir,
    account,
    superuser = 'postgres',
    checksums = true,
    walSegmentMiB,
    sync = true,
    hba,
    signal,
  } = options;
  const programs = await programsReadableBy(options.programs, account);
  await makeDirectories(dataDir);
  await chmod(dataDir, 0o700);
  if (account) await chown(dataDir, account.uid, account.gid);
  const args = ['-D', dataDir, '-U', superuser, '--auth=trust', '--encoding=UTF8', '--locale=C'];
  if (checksums) args.push('--data-checksums');
  else if (programs.major >= CHECKSUMS_BY_DEFAULT) args.push('--no-data-checksums');
  if (walSegmentMiB !== undefined) args.push(`--wal-segsize=${walSegmentMiB}`);
  if (!sync) args.push('--no-sync');
  const done = await runProgram(join(programs.bin, 'initdb'), args, { account, signal });
  if (done.code !== 0) {
    throw new Failure('postgres_start_failed', `initdb could not make a cluster in ${dataDir}.`, {
      hint: done.output.trim().split('\n').slice(-3).join(' '),
      details: { output: done.output },
    });
  }
  if (hba !== undefined) await writeFile(join(dataDir, 'pg_hba.conf'), hba);
}
