/** pgBackRest beside a PostgreSQL that archives its WAL through it, as its manual sets it up: zst, two processes. */
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerAccount } from '../../src/postgres/account.ts';
import { runOk } from '../../test/support/run.ts';
import type { BenchContext } from '../harness/context.ts';
import { type Command, measure, type Sample } from '../harness/measure.ts';
import { bytesBelow } from '../harness/workspace.ts';

const STANZA = 'bench';

export interface PgBackRestPlace {
  /** Belongs to the server's account; configuration, repository and logs go here. */
  readonly directory: string;
  readonly account: ServerAccount | undefined;
}

/** What `archive_command` must be for a server whose configuration is written to `directory`. */
export function archiveCommand(directory: string): string {
  return `pgbackrest --config=${join(directory, 'pgbackrest.conf')} --stanza=${STANZA} archive-push %p`;
}

export async function pgBackRestVersion(): Promise<string> {
  return (await runOk('pgbackrest', ['version'])).stdout.trim();
}

export class PgBackRest {
  readonly #context: BenchContext;
  readonly #place: PgBackRestPlace;

  private constructor(context: BenchContext, place: PgBackRestPlace) {
    this.#context = context;
    this.#place = place;
  }

  /** Writes the configuration for the running server and creates the stanza, sealed when there is a `cipherKey`. */
  static async create(
    context: BenchContext,
    place: PgBackRestPlace,
    server: { readonly dataDir: string; readonly socketDir: string; readonly port: number },
    cipherKey?: string,
  ): Promise<PgBackRest> {
    const { directory, account } = place;
    for (const name of ['repository', 'log', 'lock', 'spool']) {
      await mkdir(join(directory, name), { recursive: true });
      if (account) await chown(join(directory, name), account.uid, account.gid);
    }
    const cipher = cipherKey === undefined ? [] : ['repo1-cipher-type=aes-256-cbc', `repo1-cipher-pass=${cipherKey}`];
    const lines = [
      '[global]',
      `repo1-path=${join(directory, 'repository')}`,
      ...cipher,
      `log-path=${join(directory, 'log')}`,
      `lock-path=${join(directory, 'lock')}`,
      `spool-path=${join(directory, 'spool')}`,
      'log-level-console=warn',
      'compress-type=zst',
      'process-max=2',
      'start-fast=y',
      'repo1-retention-full=100',
      `[${STANZA}]`,
      `pg1-path=${server.dataDir}`,
      `pg1-port=${server.port}`,
      `pg1-socket-path=${server.socketDir}`,
      'pg1-user=postgres',
    ];
    await writeFile(join(directory, 'pgbackrest.conf'), `${lines.join('\n')}\n`, { mode: 0o644 });
    const created = new PgBackRest(context, place);
    await created.#run(['stanza-create']);
    return created;
  }

  backUp(): Promise<Sample> {
    return this.#run(['--type=full', 'backup']);
  }

  /** Into the empty directory `target`. */
  restore(target: string): Promise<Sample> {
    return this.#run([`--pg1-path=${target}`, 'restore']);
  }

  /** Bytes of the newest backup with the WAL it needs. */
  async stored(): Promise<number> {
    const repository = join(this.#place.directory, 'repository');
    return bytesBelow(repository);
  }

  /** Removes every backup, so that the next one begins as the first did. */
  async forgetAll(): Promise<void> {
    const { directory, account } = this.#place;
    const repository = join(directory, 'repository');
    await this.#context.workspace.remove(repository);
    await mkdir(repository);
    if (account) await chown(repository, account.uid, account.gid);
    await this.#run(['stanza-create']);
  }

  /** How the program is called for `args`. */
  command(args: readonly string[]): Command {
    const { directory, account } = this.#place;
    const all = [`--config=${join(directory, 'pgbackrest.conf')}`, `--stanza=${STANZA}`, ...args];
    return { program: 'pgbackrest', args: all, cwd: directory, account };
  }

  #run(args: readonly string[]): Promise<Sample> {
    return measure(this.command(args), this.#context.workspace.path);
  }
}
