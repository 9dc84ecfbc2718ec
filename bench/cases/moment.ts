/** A cluster recovered to a moment: restore and replay together, against pgBackRest. And a sandbox: from the command to an answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { need } from '../../test/support/needs.ts';
import { startPostgres, type TestServer } from '../../test/support/postgres/server.ts';
import { fillStatements } from '../data/tables.ts';
import { contest, median } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { measure, type Sample } from '../harness/measure.ts';
import { assertHolds, contents, ownDirectory } from '../harness/server-directory.ts';
import { archiveCommand, PgBackRest, pgBackRestVersion } from '../programs/pgbackrest.ts';

const MAJOR = 15;
const BIN = `/usr/lib/postgresql/${MAJOR}/bin`;
const MIB = 1024 * 1024;
const SUMS = 'select (select sum(abalance) from accounts) as balance, (select sum(patient) from notes) as patients';
const ABOUT =
  `A PostgreSQL ${MAJOR} cluster of 1 GiB, a full backup, then about as much log from updates; both programs archive the same log, Holdfast by its stream, pgBackRest ` +
  'through archive_command. Measured is the whole way from the command to a cluster that is stopped, promoted and consistent at the same log position: `holdfast restore --lsn`, ' +
  'and `pgbackrest restore --type=lsn` (two processes, zst) with the server started on it until it has promoted. Processor time includes the recovering servers.';

interface Entrant {
  readonly name: string;
  readonly isHoldfast: boolean;
  recover(target: string): Promise<{ readonly sample: Sample; readonly dataDir: string }>;
}

export const moment: Bench = {
  name: 'moment',
  title: 'A cluster at a moment',
  async run(context) {
    const { skip } = await need('postgres15', 'pgbackrest');
    if (skip) return { about: ABOUT, rows: [], missing: [`everything here: ${skip}`] };
    await using server = await startPostgres({ major: MAJOR, settings: { archive_mode: 'on', max_wal_size: '2GB' } });
    for (const statement of fillStatements((context.quick ? 64 : 1024) * MIB)) await server.sql(statement);
    const pgBackRest = await pgBackRestHere(context, server);
    const config = await holdfastHere(context, server);
    const stream = spawn(HOLDFAST, ['wal', 'stream', '--config', config, '--quiet'], { stdio: 'ignore' });
    try {
      await pgBackRest.backUp();
      await holdfastOk(['backup', '--config', config, '--quiet'], { timeoutMs: 600_000 });
      for (const rest of [0, 1, 2]) await server.sql(`update notes set patient = patient + 1 where id % 3 = ${rest}`);
      const [row] = await server.sql('select pg_current_wal_insert_lsn()::text as lsn');
      const lsn = String(row?.lsn);
      const expected = await contents(server, SUMS);
      await server.sql('update accounts set abalance = 0 where aid < 1000');
      await server.sql('select pg_switch_wal()');
      await archived(server, config, lsn);
      const entrants = [
        holdfastEntrant(context, config, lsn),
        pgBackRestEntrant(context, pgBackRest, await pgBackRestVersion(), lsn),
      ];
      const rows = await contest<Entrant>(context, entrants, [
        {
          what: 'restored and replayed',
          turn: async (entrant) => {
            const target = await ownDirectory(context, 'moment');
            const { sample, dataDir } = await entrant.recover(target);
            await assertHolds(dataDir, MAJOR, SUMS, expected);
            await context.workspace.remove(target);
            return { sample };
          },
        },
      ]);
      const figures = [
        {
          what: 'a sandbox of the point, from the command to its address',
          value: await sandboxes(context, config, await newestPoint(config)),
        },
        {
          what: 'a sandbox of the newest moment, all of the log replayed',
          value: await sandboxes(context, config, 'latest'),
        },
      ];
      return { about: ABOUT, rows, figures };
    } finally {
      stream.kill('SIGTERM');
      await once(stream, 'exit');
    }
  },
};

async function holdfastHere(context: BenchContext, server: TestServer): Promise<string> {
  const directory = await context.workspace.directory('holdfast');
  const config = await writeConfig(directory, {
    repository: { password: 'only for measuring' },
    storages: { local: { type: 'local', path: join(directory, 'storage') } },
    apps: {
      bench: {
        sources: { database: { type: 'postgres', url: server.url(), wal: { mode: 'stream', flushEvery: '1s' } } },
      },
    },
  });
  await holdfastOk(['init', '--config', config]);
  return config;
}

async function pgBackRestHere(context: BenchContext, server: TestServer): Promise<PgBackRest> {
  const directory = await ownDirectory(context, 'pgbackrest');
  const { socketDir, port } = server.instance;
  const place = { directory, account: serverAccount() };
  const pgBackRest = await PgBackRest.create(context, place, { dataDir: server.dataDir, socketDir, port });
  await server.sql(`alter system set archive_command = '${archiveCommand(directory)}'`);
  await server.sql('select pg_reload_conf()');
  return pgBackRest;
}

function holdfastEntrant(context: BenchContext, config: string, lsn: string): Entrant {
  return {
    name: 'Holdfast',
    isHoldfast: true,
    recover: async (target) => {
      const place = join(target, 'copy');
      const args = ['restore', '--lsn', lsn, '--to', place, '--config', config, '--json'];
      const sample = await measure({ program: HOLDFAST, args }, context.workspace.path);
      await chmod(place, 0o755); // the server's account must pass
      return { sample, dataDir: join(place, 'database') };
    },
  };
}

const RECOVER = `set -e
"$@"
${BIN}/postgres -D "$TARGET" -c archive_mode=off -c listen_addresses= -c unix_socket_directories="$TARGET" -c port=5432 >"$TARGET.log" 2>&1 &
server=$!
until [ "$(${BIN}/psql -h "$TARGET" -p 5432 -U postgres -Atc 'select pg_is_in_recovery()' 2>/dev/null)" = f ]; do kill -0 $server; sleep 0.05; done
kill -INT $server
wait $server
`;

function pgBackRestEntrant(context: BenchContext, pgBackRest: PgBackRest, version: string, lsn: string): Entrant {
  return {
    name: version,
    isHoldfast: false,
    recover: async (target) => {
      const dataDir = await ownDirectory(context, 'recovered', target);
      const script = join(target, 'recover.sh');
      await writeFile(script, RECOVER, { mode: 0o755 });
      const restore = pgBackRest.command([
        `--pg1-path=${dataDir}`,
        '--type=lsn',
        `--target=${lsn}`,
        '--target-action=promote',
        'restore',
      ]);
      const args = [script, restore.program, ...restore.args];
      const sample = await measure(
        { ...restore, program: '/bin/sh', args, env: { TARGET: dataDir } },
        context.workspace.path,
      );
      return { sample, dataDir };
    },
  };
}

/** Until both archives have the log up to `lsn`. */
async function archived(server: TestServer, config: string, lsn: string): Promise<void> {
  for (;;) {
    const [row] = await server.sql(
      `select (last_archived_wal >= pg_walfile_name('${lsn}'))::int as pushed from pg_stat_archiver`,
    );
    const status = (await holdfastOk(['wal', 'status', '--config', config, '--json'])).document<{
      sources: { archived: { lsn: string } | null }[];
    }>();
    const reached = status.sources[0]?.archived?.lsn ?? '0/0';
    const [there] = await server.sql(`select ('${reached}'::pg_lsn > '${lsn}'::pg_lsn)::int as streamed`);
    if (row?.pushed === 1 && there?.streamed === 1) return;
    await sleep(250);
  }
}

async function newestPoint(config: string): Promise<string> {
  const points = (await holdfastOk(['points', '--config', config, '--json'])).document<{ id: string }[]>();
  return points.at(-1)!.id;
}

/** Seconds, the median of as many as the contest has rounds. */
async function sandboxes(context: BenchContext, config: string, at: string): Promise<string> {
  const seconds: number[] = [];
  for (let round = 0; round < context.runs; round++) seconds.push(await sandboxReady(config, at));
  return `${median(seconds).toFixed(1)} s`;
}

async function sandboxReady(config: string, at: string): Promise<number> {
  const started = systemClock.monotonic();
  const child = spawn(HOLDFAST, ['sandbox', '--at', at, '--config', config, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let ready = 0;
  for await (const line of createInterface(child.stdout)) {
    const said = JSON.parse(line) as { state?: string; step?: string };
    if (said.step !== 'sandbox' || said.state !== 'ready') continue;
    ready = (systemClock.monotonic() - started) / 1000;
    child.kill('SIGINT');
  }
  if (ready === 0) throw new Error('the sandbox was never ready');
  return ready;
}
