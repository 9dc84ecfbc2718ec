/** The log of a busy server, received and stored while it is written: against pg_receivewal. */
import { chmod, chown, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { parsePieceKey, WAL_PREFIX } from '../../src/wal/piece.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { need } from '../../test/support/needs.ts';
import { startPostgres, type TestServer } from '../../test/support/postgres/server.ts';
import { runOk } from '../../test/support/run.ts';
import { contest, median, type Turn } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { watchCommits } from '../programs/commit-lag.ts';
import { profiling } from '../programs/holdfast.ts';
import { startTimed, type Timed } from '../programs/timed.ts';

const MAJOR = 15;
const BIN = `/usr/lib/postgresql/${MAJOR}/bin`;
const MIB = 1024 * 1024;
/** Transactions a second of the steady load. */
const STEADY = { inserts: 25, updates: 475 };
/** More rows than lie in what zstd looks back upon. */
const ROWS = `
  create table steady (n int, note text);
  create table rows (n int primary key, note text);
  insert into rows select r, (select repeat(string_agg(md5(random()::text || r || i), ''), 2) from generate_series(1, 16) i) from generate_series(1, 20000) r`;
const INSERT = `\\set first random(1, 19000)
insert into steady select n, note from rows where n >= :first and n < :first + 1000;
`;
/** What our test servers set otherwise, for speed: commits wait for the disk here, as they do where data matter. */
const AS_INSTALLED = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '128MB' };
const SLOT = 'bench';
const ABOUT =
  `A PostgreSQL ${MAJOR} under pgbench (four clients, simple updates; commits wait for the disk; a checkpoint before, so that pages go into the log whole). Holdfast compresses, encrypts ` +
  'and stores in one local storage, with the defaults; pg_receivewal writes plain segments. Both sync. The time is what storing took after ' +
  'the load had ended and the begun segment was switched; processor time and memory are those of the receiver over all of it. The receiver is ' +
  'level with the server when the load begins. Lag is that of a client beside the load that commits ten times a second: from its commit until ' +
  'the storage had all of the log up to it.';

interface Receiver {
  readonly name: string;
  readonly isHoldfast: boolean;
  /** Starts anew, with nothing stored, and resolves when it receives. */
  start(): Promise<Running>;
}

interface Running {
  readonly timed: Timed;
  /** The end of what is stored without a hole from a position on. */
  stored(from: bigint): Promise<bigint>;
  /** Where the pieces of the archive come to lie; undefined for plain segments. */
  readonly archive: string | undefined;
}

export const wal: Bench = {
  name: 'wal',
  title: 'The log of a busy server',
  async run(context) {
    const { skip } = await need('postgres15');
    if (skip) return { about: ABOUT, rows: [], missing: [`everything here: ${skip}`] };
    await using server = await startPostgres({
      major: MAJOR,
      settings: { ...AS_INSTALLED, max_wal_size: '4GB' },
    });
    const where = ['-h', server.instance.socketDir, '-p', String(server.instance.port), '-U', 'postgres'];
    await runOk(join(BIN, 'pgbench'), ['-i', '-q', '-s', context.quick ? '1' : '20', ...where, 'postgres'], {
      timeoutMs: 600_000,
    });
    const rates: number[] = [];
    const lags: number[] = [];
    const costs: number[] = [];
    const seconds = context.quick ? 3 : 20;
    const pgbench = () =>
      runOk(join(BIN, 'pgbench'), ['-n', '-N', '-c', '4', '-T', String(seconds), ...where, 'postgres'], {
        timeoutMs: 600_000,
      });
    const load = async (receiver: Receiver, write: () => Promise<unknown> = pgbench): Promise<Load> => {
      for (const step of ['checkpoint', 'select pg_switch_wal()', 'checkpoint']) await server.sql(step); // a slot begins at the last checkpoint
      const running = await receiver.start();
      await level(server);
      const from = await position(server);
      const began = systemClock.monotonic();
      const before = await running.timed.used();
      const watch = running.archive === undefined ? undefined : await watchCommits(server.url(), running.archive, from);
      await write();
      await watch?.stop();
      const ended = systemClock.monotonic();
      const to = await position(server);
      await server.sql('select pg_switch_wal()'); // the begun segment is complete: nobody waits for more of it
      while ((await running.stored(from)) < to) await sleep(20);
      const wall = (systemClock.monotonic() - ended) / 1000;
      const busy = (await running.timed.used()) - before;
      const lag = (await watch?.lags()) ?? [];
      const sample = await running.timed.stop();
      await server.sql(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`);
      return { sample: { ...sample, wall }, busy, bytes: Number(to - from), seconds: (ended - began) / 1000, lag };
    };
    const turn = async (receiver: Receiver): Promise<Turn> => {
      const done = await load(receiver);
      if (receiver.isHoldfast) {
        rates.push(done.bytes / done.seconds);
        costs.push(done.busy / done.bytes);
        lags.push(...done.lag);
      }
      return done;
    };
    const receivers = [holdfastReceiver(context, server), pgReceiveWal(context, server)];
    const rows = await contest<Receiver>(context, receivers, [{ what: 'stored after the load', turn }]);
    const quick = await load(holdfastReceiver(context, server, '500ms'));
    const script = context.workspace.place('steady');
    const steady = await load(holdfastReceiver(context, server), () => writeSteadily(server, where, script, seconds));
    const figures = [
      { what: 'log written by the load', value: `${(median(rates) / MIB).toFixed(1)} MiB/s` },
      {
        what: 'processor time of Holdfast under it, without its start',
        value: `${(median(costs) * 1e9).toFixed(0)} ms/MB`,
      },
      {
        what: `processor time under ${STEADY.inserts} inserts of a thousand rows and ${STEADY.updates} small updates a second, which make ${(steady.bytes / steady.seconds / 1e6).toFixed(0)} MB/s of log, one run`,
        value: `${(steady.busy / steady.seconds).toFixed(2)} of a core`,
      },
      { what: 'from a commit to its being stored, with the defaults (`flushEvery: 5s`)', value: lagText(lags) },
      { what: 'the same with `flushEvery: 500ms`, one run', value: lagText(quick.lag) },
    ];
    return { about: ABOUT, rows, figures };
  },
};

interface Load extends Turn {
  readonly bytes: number;
  readonly seconds: number;
  /** Seconds of processor time of the receiver, from the beginning of the load until everything was stored. */
  readonly busy: number;
  /** Seconds from each commit that was watched until everything up to it was stored. */
  readonly lag: readonly number[];
}

function lagText(lags: readonly number[]): string {
  if (lags.length === 0) return 'not seen';
  return `${median(lags).toFixed(2)} s (median of ${lags.length} commits), ${Math.max(...lags).toFixed(2)} s (worst)`;
}

/**
 * Inserts of a thousand rows of a kilobyte that shrinks to a quarter, and small updates, at a rate that makes some 30 MB of log a second; no
 * commit waits for the disk.
 */
async function writeSteadily(server: TestServer, where: readonly string[], script: string, seconds: number) {
  await server.sql(ROWS);
  await writeFile(script, INSERT);
  await chmod(script, 0o644);
  const mix = ['-b', `simple-update@${STEADY.updates}`, '-f', `${script}@${STEADY.inserts}`];
  const rate = ['-R', String(STEADY.updates + STEADY.inserts), '-T', String(seconds)];
  await runOk(join(BIN, 'pgbench'), ['-n', '-c', '4', ...mix, ...rate, ...where, 'postgres'], {
    env: { PGOPTIONS: '-c synchronous_commit=off' },
    timeoutMs: 600_000,
  });
  await server.sql('drop table steady, rows');
}

async function position(server: TestServer): Promise<bigint> {
  const [row] = await server.sql('select pg_current_wal_flush_lsn()::text as lsn');
  return parseLsn(String(row?.lsn));
}

function holdfastReceiver(context: BenchContext, server: TestServer, flushEvery = '5s'): Receiver {
  return {
    name: 'Holdfast',
    isHoldfast: true,
    start: async () => {
      const directory = await context.workspace.directory('wal');
      const spool = join(directory, 'spool');
      const source = { type: 'postgres', url: server.url(), wal: { mode: 'stream', spool, slot: SLOT, flushEvery } };
      const config = await writeConfig(directory, {
        repository: { password: 'only for measuring' },
        storages: { local: { type: 'local', path: join(directory, 'storage') } },
        apps: { bench: { sources: { database: source } } },
      });
      await holdfastOk(['init', '--config', config]);
      const args = ['wal', 'stream', '--config', config, '--quiet'];
      const timed = startTimed({ program: HOLDFAST, args, env: profiling(context) }, context.workspace.path);
      await active(server);
      const archive = join(directory, 'storage', WAL_PREFIX);
      return {
        timed,
        stored: (from) => archivedEnd(archive, from),
        archive,
      };
    },
  };
}

/** How far the pieces reach, without a hole. */
async function archivedEnd(archive: string, from: bigint): Promise<bigint> {
  const names = await readdir(archive, { recursive: true }).catch(() => []);
  const pieces = names.flatMap((name) => parsePieceKey(`${WAL_PREFIX}${name}`) ?? []);
  let end = from;
  for (const piece of pieces.sort((a, b) => (a.start < b.start ? -1 : 1)))
    if (piece.start <= end && piece.end > end) end = piece.end;
  return end;
}

function pgReceiveWal(context: BenchContext, server: TestServer): Receiver {
  return {
    name: `pg_receivewal ${MAJOR}`,
    isHoldfast: false,
    start: async () => {
      const directory = await context.workspace.directory('receivewal');
      const account = serverAccount();
      if (account) {
        await runOk('chmod', ['755', context.workspace.path]);
        await chown(directory, account.uid, account.gid);
      }
      await server.sql(`select pg_create_physical_replication_slot('${SLOT}', true)`);
      const args = ['-D', directory, '-S', SLOT, '-d', server.url(), '--synchronous'];
      const timed = startTimed({ program: join(BIN, 'pg_receivewal'), args, account }, context.workspace.path);
      await active(server);
      const stored = async () => {
        const [row] = await server.sql(`select coalesce(max(flush_lsn), '0/0')::text as lsn from pg_stat_replication`);
        return parseLsn(String(row?.lsn));
      };
      return { timed, stored, archive: undefined };
    },
  };
}

async function active(server: TestServer): Promise<void> {
  for (;;) {
    const [row] = await server.sql(
      `select count(*)::int as n from pg_replication_slots where active and slot_name = '${SLOT}'`,
    );
    if (row?.n === 1) return;
    await sleep(100);
  }
}

/** Waits until the receiver has made everything durable that there is. */
async function level(server: TestServer): Promise<void> {
  for (;;) {
    const [row] = await server.sql(
      'select bool_or(flush_lsn >= pg_current_wal_flush_lsn()) as level from pg_stat_replication',
    );
    if (row?.level === true) return;
    await sleep(100);
  }
}
