/** The log of a busy server, received and stored while it is written: against pg_receivewal. */
import { chown, readdir, stat } from 'node:fs/promises';
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
import { profiling } from '../programs/holdfast.ts';
import { startTimed, type Timed } from '../programs/timed.ts';

const MAJOR = 15;
const BIN = `/usr/lib/postgresql/${MAJOR}/bin`;
const MIB = 1024 * 1024;
/** Bytes of log a second of the steady load. */
const STEADY = 30e6;
/** What our test servers set otherwise, for speed: commits wait for the disk here, as they do where data matter. */
const AS_INSTALLED = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', shared_buffers: '128MB' };
const SLOT = 'bench';
const ABOUT =
  `A PostgreSQL ${MAJOR} under pgbench (four clients, simple updates; commits wait for the disk; a checkpoint before, so that pages go into the log whole). Holdfast compresses, encrypts ` +
  'and stores in one local storage, with the defaults; pg_receivewal writes plain segments. Both sync. The time is what storing took after ' +
  'the load had ended and the begun segment was switched; processor time and memory are those of the receiver over all of it.';

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
      const running = await receiver.start();
      await server.sql('checkpoint');
      const from = await position(server);
      const began = systemClock.monotonic();
      const watch = running.archive === undefined ? undefined : watchLag(running.archive);
      await write();
      const ended = systemClock.monotonic();
      const to = await position(server);
      await server.sql('select pg_switch_wal()'); // the begun segment is complete: nobody waits for more of it
      while ((await running.stored(from)) < to) await sleep(20);
      const wall = (systemClock.monotonic() - ended) / 1000;
      const lag = (await watch?.stop()) ?? [];
      const sample = await running.timed.stop();
      await server.sql(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`);
      return { sample: { ...sample, wall }, bytes: Number(to - from), seconds: (ended - began) / 1000, lag };
    };
    const turn = async (receiver: Receiver): Promise<Turn> => {
      const done = await load(receiver);
      if (receiver.isHoldfast) {
        rates.push(done.bytes / done.seconds);
        costs.push(done.sample.cpu / done.bytes);
        lags.push(...done.lag);
      }
      return done;
    };
    const receivers = [holdfastReceiver(context, server), pgReceiveWal(context, server)];
    const rows = await contest<Receiver>(context, receivers, [{ what: 'stored after the load', turn }]);
    const quick = await load(holdfastReceiver(context, server, '500ms'));
    const steady = await load(holdfastReceiver(context, server), () => writeSteadily(server, seconds));
    const figures = [
      { what: 'log written by the load', value: `${(median(rates) / MIB).toFixed(1)} MiB/s` },
      {
        what: 'processor time of Holdfast under it, start included',
        value: `${(median(costs) * 1e9).toFixed(0)} ms/MB`,
      },
      {
        what: `processor time while rows are inserted that make ${(steady.bytes / steady.seconds / 1e6).toFixed(0)} MB/s of log, one run`,
        value: `${(steady.sample.cpu / steady.seconds).toFixed(2)} of a core`,
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
  /** Seconds from the oldest commit of each piece until the piece was stored. */
  readonly lag: readonly number[];
}

function lagText(lags: readonly number[]): string {
  if (lags.length === 0) return 'not seen';
  return `${median(lags).toFixed(2)} s (median of ${lags.length} pieces), ${Math.max(...lags).toFixed(2)} s (worst)`;
}

/** Rows of a kilobyte, a thousand in a transaction, as many as make `STEADY`. */
async function writeSteadily(server: TestServer, seconds: number): Promise<void> {
  await server.sql('create table steady (n bigint, note text)');
  const insert = 'insert into steady select g, repeat(md5(random()::text), 31) from generate_series(1, 1000) g';
  const from = await position(server);
  const began = systemClock.monotonic();
  for (;;) {
    const elapsed = (systemClock.monotonic() - began) / 1000;
    if (elapsed >= seconds) break;
    if (Number((await position(server)) - from) < elapsed * STEADY) await server.sql(insert);
    else await sleep(5);
  }
  await server.sql('drop table steady');
}

async function position(server: TestServer): Promise<bigint> {
  const [row] = await server.sql('select pg_current_wal_flush_lsn()::text as lsn');
  return parseLsn(String(row?.lsn));
}

/**
 * Looks at the archive ten times a second: the name of a piece tells its commits, its file when it was stored. A whole segment counts by its own
 * oldest commit only where no slice of it was seen before; commits from before the load do not count.
 */
function watchLag(archive: string): { stop(): Promise<number[]> } {
  const began = systemClock.now() / 1000;
  const seen = new Set<string>();
  const sliced = new Set<string>();
  const lags: number[] = [];
  let over = false;
  const look = async () => {
    const names = await readdir(archive, { recursive: true }).catch(() => []);
    for (const name of names.sort()) {
      const piece = seen.has(name) ? undefined : parsePieceKey(`${WAL_PREFIX}${name}`);
      if (piece?.firstCommit === undefined) continue;
      const committed = Number(piece.firstCommit) / 1e6;
      const written = await stat(join(archive, name)).catch(() => undefined); // a slice goes when its segment is stored
      if (written === undefined) continue;
      seen.add(name);
      const segment = `${piece.timeline} ${piece.start / BigInt(piece.segmentSize)}`;
      const isSlice = piece.end % BigInt(piece.segmentSize) !== 0n;
      const isOwn = isSlice || !sliced.has(segment);
      if (isOwn && committed >= began) lags.push(written.ctimeMs / 1000 - committed);
      if (isSlice) sliced.add(segment);
    }
  };
  const loop = (async () => {
    for (; !over; await sleep(100)) await look();
    await look();
  })();
  return {
    stop: async () => {
      over = true;
      await loop;
      return lags;
    },
  };
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
