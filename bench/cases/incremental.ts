/** A PostgreSQL cluster of which one page in a hundred changed: full and incremental, against what the server itself sends. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startPostgres, type TestServer } from '../../test/support/postgres/server.ts';
import { fillStatements } from '../data/tables.ts';
import { contest, type Stage, type Turn } from '../harness/contest.ts';
import type { Bench, BenchContext, Outcome } from '../harness/context.ts';
import { measure } from '../harness/measure.ts';
import { holdfastTool } from '../programs/holdfast.ts';
import type { Vault } from '../programs/tool.ts';

const MAJOR = 17;
const MIB = 1024 * 1024;
const about = (size: string, runs: string) =>
  `A running PostgreSQL ${MAJOR} cluster of ${size} with \`summarize_wal = on\`. Holdfast makes a full backup into an empty repository, then, after ` +
  'rows on one page in a hundred were updated, an incremental one, which is a whole point again. Beside it what the server sends for ' +
  '`BASE_BACKUP` and `BASE_BACKUP (… INCREMENTAL)`, log included, through one zstd stream into a file, unencrypted; to be restored that needs ' +
  `the full backup and all others since.${runs}`;
const SCRIPT = fileURLToPath(new URL('../own-incremental.ts', import.meta.url));

interface Entrant {
  readonly name: string;
  readonly isHoldfast: boolean;
  full(): Promise<Turn>;
  incremental(): Promise<Turn>;
}

export const incremental: Bench = {
  name: 'incremental',
  title: 'A PostgreSQL cluster of which one page in a hundred changed',
  run: (context) => compare(context, 1024 * MIB, { about: about('1 GiB', ''), runs: context.runs }),
};

/** About ten minutes, most of them for making the data and for the full backups; 30 GiB of disk. */
export const incrementalLarge: Bench = {
  name: 'incremental-large',
  title: 'The same with ten gibibytes',
  run: (context) => compare(context, 10 * 1024 * MIB, { about: about('10 GiB', ' One run each.'), runs: 1 }),
};

async function compare(
  context: BenchContext,
  bytes: number,
  { about, runs }: { readonly about: string; readonly runs: number },
): Promise<Outcome> {
  const settings = { summarize_wal: 'on', autovacuum: 'off', max_wal_size: '4GB' };
  await using server = await startPostgres({ major: MAJOR, settings });
  for (const statement of fillStatements(context.quick ? 64 * MIB : bytes)) await server.sql(statement);
  await server.sql('vacuum (freeze) accounts');
  await server.sql('vacuum (freeze) notes');
  const entrants = [await holdfastEntrant(context, server), serverEntrant(context, server)];
  const stages: Stage<Entrant>[] = [
    { what: 'full backup', turn: (entrant) => entrant.full() },
    {
      what: 'incremental backup, 1 % of pages changed',
      before: (round) => changePages(server, round),
      turn: (entrant) => entrant.incremental(),
    },
  ];
  return { about, rows: await contest<Entrant>(context, entrants, stages, runs) };
}

/** One row on about every hundredth page: 61 accounts fit on a page, and 19 notes. */
async function changePages(server: TestServer, round: number): Promise<void> {
  await server.sql(`update accounts set abalance = abalance + 1 where aid % 6100 = ${round * 61}`);
  await server.sql(`update notes set patient = patient + 1 where id % 1900 = ${round * 19}`);
}

async function holdfastEntrant(context: BenchContext, server: TestServer): Promise<Entrant> {
  const tool = await holdfastTool({ source: { type: 'postgres', url: server.url() } });
  let vault: Vault | undefined;
  let stored = 0;
  const grown = async (): Promise<number> => {
    const before = stored;
    stored = await (vault as Vault).stored();
    return stored - before;
  };
  return {
    name: tool.name,
    isHoldfast: true,
    full: async () => {
      if (vault) await context.workspace.remove(vault.directory);
      vault = await tool.create(context, server.dataDir);
      stored = 0;
      const sample = await vault.backup();
      return { sample, stored: await grown() };
    },
    incremental: async () => {
      const sample = await (vault as Vault).backup();
      return { sample, stored: await grown() };
    },
  };
}

function serverEntrant(context: BenchContext, server: TestServer): Entrant {
  let directory = '';
  const turn = async (name: string): Promise<Turn> => {
    const target = join(directory, name);
    const args = ['--disable-warning=ExperimentalWarning', SCRIPT, server.url(), join(directory, 'base.json'), target];
    const sample = await measure({ program: process.execPath, args }, context.workspace.path);
    return { sample, stored: (await stat(target)).size };
  };
  return {
    name: `PostgreSQL ${MAJOR} into zstd`,
    isHoldfast: false,
    full: async () => {
      if (directory) await context.workspace.remove(directory);
      directory = await context.workspace.directory('server');
      return turn('full.zst');
    },
    incremental: () => turn('incremental.zst'),
  };
}
