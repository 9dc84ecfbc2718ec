/** A PostgreSQL cluster alone: full backup and restore, against pgBackRest. */
import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serverAccount } from '../../src/postgres/account.ts';
import { need } from '../../test/support/needs.ts';
import { startPostgres, type TestServer } from '../../test/support/postgres/server.ts';
import { fillStatements } from '../data/tables.ts';
import { contest, type Turn } from '../harness/contest.ts';
import type { Bench, BenchContext, Outcome } from '../harness/context.ts';
import type { Sample } from '../harness/measure.ts';
import { assertHolds, contents, ownDirectory } from '../harness/server-directory.ts';
import { processorTime } from '../harness/server-time.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import { archiveCommand, PgBackRest, pgBackRestVersion } from '../programs/pgbackrest.ts';
import type { Vault } from '../programs/tool.ts';

const MAJOR = 15;
const MIB = 1024 * 1024;
/** Row counts and sums over all tables. */
const SUMS =
  'select (select count(*) from accounts) as accounts, (select sum(abalance) from accounts) as balance, ' +
  '(select count(*) from notes) as notes, (select sum(hashtextextended(body, 0)) from notes) as bodies';
const ABOUT =
  `A running PostgreSQL ${MAJOR} cluster. pgBackRest: \`backup --type=full\` with zst and two processes, WAL archived through it while it ` +
  'works, without encryption (its default) and with it (Holdfast always encrypts); it reads the data directory on the same machine. ' +
  'Holdfast reads over the replication protocol and keeps the needed WAL in the point. Both ask for an immediate checkpoint and begin with ' +
  'an empty repository. Processor time of backups includes the PostgreSQL server. Every restored directory is started, and its tables are ' +
  'counted and summed up, outside the measured time.';

/** An `archive_command` that keeps nothing. */
const NOWHERE = 'true';

/** One program with its repository: what the contest asks of it. */
interface Entrant {
  readonly name: string;
  readonly isHoldfast: boolean;
  backUp(): Promise<{ readonly sample: Sample; readonly stored: number }>;
  /** Returns where the data directory is, too. */
  restore(target: string): Promise<{ readonly sample: Sample; readonly dataDir: string }>;
}

export const database: Bench = {
  name: 'database',
  title: 'A PostgreSQL cluster alone',
  async run(context) {
    const { skip } = await need('postgres15', 'pgbackrest');
    if (skip) return { about: ABOUT, rows: [], missing: [`everything here: ${skip}`] };
    await using server = await startPostgres({ major: MAJOR, settings: { archive_mode: 'on' } });
    await archiveThrough(server, NOWHERE);
    for (const statement of fillStatements((context.quick ? 64 : 1536) * MIB)) await server.sql(statement);
    return await race(context, server);
  },
};

async function race(context: BenchContext, server: TestServer): Promise<Outcome> {
  const version = await pgBackRestVersion();
  const entrants = [
    await holdfastEntrant(context, server),
    await pgBackRestEntrant(context, server, version),
    await pgBackRestEntrant(context, server, `${version}, encrypted`, 'only for measuring'),
  ];
  const expected = await contents(server, SUMS);
  const pid = Number((await readFile(join(server.dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  const rows = await contest<Entrant>(context, entrants, [
    { what: 'full backup', turn: (entrant) => withServerTime(pid, () => entrant.backUp()) },
    {
      what: 'restore',
      turn: async (entrant) => {
        const target = await ownDirectory(context, 'restored');
        const { sample, dataDir } = await entrant.restore(target);
        await assertHolds(dataDir, MAJOR, SUMS, expected);
        await context.workspace.remove(target);
        return { sample };
      },
    },
  ]);
  return { about: ABOUT, rows };
}

async function holdfastEntrant(context: BenchContext, server: TestServer): Promise<Entrant> {
  const tool = await holdfastTool({ source: { type: 'postgres', url: server.url() } });
  let vault: Vault | undefined;
  return {
    name: tool.name,
    isHoldfast: true,
    backUp: async () => {
      if (vault) await context.workspace.remove(vault.directory);
      vault = await tool.create(context, server.dataDir);
      const sample = await vault.backup();
      return { sample, stored: await vault.stored() };
    },
    restore: async (target) => {
      const place = join(target, 'holdfast');
      const sample = await (vault as Vault).restore(place);
      await chmod(place, 0o755); // the server's account must pass
      return { sample, dataDir: (vault as Vault).restoredAt(place) };
    },
  };
}

async function pgBackRestEntrant(
  context: BenchContext,
  server: TestServer,
  name: string,
  cipherKey?: string,
): Promise<Entrant> {
  const directory = await ownDirectory(context, 'pgbackrest');
  const { socketDir, port } = server.instance;
  const place = { directory, account: serverAccount() };
  const pgBackRest = await PgBackRest.create(context, place, { dataDir: server.dataDir, socketDir, port }, cipherKey);
  return {
    name,
    isHoldfast: false,
    backUp: async () => {
      await pgBackRest.forgetAll();
      await archiveThrough(server, archiveCommand(directory));
      const sample = await pgBackRest.backUp();
      const stored = await pgBackRest.stored();
      await archiveThrough(server, NOWHERE);
      return { sample, stored };
    },
    restore: async (target) => ({ sample: await pgBackRest.restore(target), dataDir: target }),
  };
}

/** The archiver takes up a new command with its next segment. */
async function archiveThrough(server: TestServer, command: string): Promise<void> {
  await server.sql(`alter system set archive_command = '${command}'`);
  await server.sql('select pg_reload_conf()');
}

async function withServerTime(pid: number, work: () => Promise<Turn>): Promise<Turn> {
  const before = await processorTime(pid);
  const turn = await work();
  const server = (await processorTime(pid)) - before;
  return { ...turn, sample: { ...turn.sample, cpu: turn.sample.cpu + server } };
}
