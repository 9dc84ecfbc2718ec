/**
 * A server that archives with `holdfast wal push`, and copies of it that recover with `holdfast wal fetch`: everything runs as the server's
 * account, as it does on a real machine. The servers start the program; what a test itself asks for runs in one process.
 */
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { giveTo, serverAccount } from '../../src/postgres/account.ts';
import { init, localStore } from './care.ts';
import { holdfastHere } from './here.ts';
import { HOLDFAST, type HoldfastResult, writeConfig } from './holdfast.ts';
import { startPostgres, type TestServer } from './postgres/server.ts';
import { type TempDir, tempDir } from './temp.ts';
import { until } from './until.ts';

const PASSWORD = 'the archive of a clinic';

export interface WalWorld extends AsyncDisposable {
  readonly dir: TempDir;
  readonly server: TestServer;
  readonly config: string;
  /** Runs a command line with the configuration, as the server's account; see `holdfastHere`. */
  run(args: readonly string[], codes?: readonly number[]): Promise<HoldfastResult>;
  /** Lets the server archive; from now on every finished segment goes through `wal push`. */
  archive(): Promise<void>;
  /** Ends the current segment and waits until it is archived. */
  finishSegment(): Promise<string>;
  /** Restores the newest point and starts it with `restore_command`; `settings` win. */
  recover(name: string, settings?: Readonly<Record<string, string>>): Promise<TestServer>;
  restoreCommand(config?: string): string;
}

export async function walWorld(major: number, wal: object | string = 'push'): Promise<WalWorld> {
  const account = serverAccount();
  const dir = await tempDir({ prefix: 'hf-ww', owner: account });
  const server = await startPostgres({ major, settings: { archive_mode: 'on', wal_level: 'replica' } });
  await mkdir(dir.join('home'));
  const config = await writeConfig(dir.path, {
    repository: { password: PASSWORD },
    storages: Object.fromEntries(['a', 'b'].map((name) => [name, { type: 'local', path: dir.join(name) }])),
    apps: { clinic: { sources: { database: { type: 'postgres', url: server.url(), wal } } } },
  });
  const own = account ? { uid: account.uid, gid: account.gid } : {};
  const env = { HOME: dir.join('home'), XDG_CACHE_HOME: undefined };
  const run: WalWorld['run'] = async (args, codes = [0]) => {
    const done = await holdfastHere(['--config', config, ...args], { ...own, env, cwd: dir.path });
    if (done.code === null || !codes.includes(done.code))
      throw new Error(
        `holdfast ${args.join(' ')} ended with ${done.code ?? done.signal}\n${done.stdout}${done.stderr}`,
      );
    return done;
  };
  const restoreCommand = (file = config) => `HOME=${dir.join('home')} ${HOLDFAST} --config ${file} wal fetch %f %p`;
  await init([localStore(dir, 'a'), localStore(dir, 'b')], PASSWORD);
  if (account) await giveTo(account, dir.path);
  return {
    ...{ dir, server, config, run, restoreCommand },
    async archive() {
      const command = `HOME=${dir.join('home')} ${HOLDFAST} --config ${config} wal push %p`;
      await server.sql(`alter system set archive_command = '${command}'`);
      await server.sql('select pg_reload_conf()');
    },
    finishSegment: () => finishSegment(server),
    async recover(name, settings = {}) {
      await run(['restore', 'latest', '--to', dir.join(name)]);
      const dataDir = join(dir.join(name), 'database');
      await writeFile(join(dataDir, 'recovery.signal'), '');
      const lines = Object.entries({ restore_command: restoreCommand(), archive_mode: 'off', ...settings });
      const text = lines.map(([key, value]) => `${key} = '${value.replaceAll("'", "''")}'\n`).join('');
      await appendFile(join(dataDir, 'postgresql.auto.conf'), text);
      return startPostgres({ major, dataDir });
    },
    async [Symbol.asyncDispose]() {
      await server.stop('immediate');
      await dir.remove();
    },
  };
}

async function finishSegment(server: TestServer): Promise<string> {
  const [row] = await server.sql('select pg_walfile_name(pg_current_wal_insert_lsn()) as name, pg_switch_wal()');
  const name = String(row!.name);
  await until(async () => {
    const [archiver] = await server.sql('select last_archived_wal as name from pg_stat_archiver');
    return String(archiver?.name ?? '') >= name;
  });
  return name;
}
