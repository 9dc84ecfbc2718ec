/** The log of a busy server, received and stored while it is written: against pg_receivewal. */
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { readStreamState } from '../../src/wal/stream-state.ts';
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
const TARGET = 30e6;
const SLOT = 'bench';
const ABOUT =
  `A PostgreSQL ${MAJOR} under pgbench (four clients, simple updates; a checkpoint before, so that pages go into the log whole). Holdfast compresses, encrypts ` +
  'and stores in one local storage, with the defaults; pg_receivewal writes plain segments. Both sync. The time is what storing took after ' +
  'the load had ended; processor time and memory are those of the receiver over all of it.';

interface Receiver {
  readonly name: string;
  readonly isHoldfast: boolean;
  /** Starts anew, with nothing stored, and resolves when it receives. */
  start(): Promise<Running>;
}

interface Running {
  readonly timed: Timed;
  /** The end of what is stored. */
  stored(): Promise<bigint>;
  /** Seconds between now and the latest stored commit; undefined where it does not tell. */
  lag(): Promise<number | undefined>;
}

export const wal: Bench = {
  name: 'wal',
  title: 'The log of a busy server',
  async run(context) {
    const { skip } = await need('postgres15');
    if (skip) return { about: ABOUT, rows: [], missing: [`everything here: ${skip}`] };
    await using server = await startPostgres({
      major: MAJOR,
      settings: { max_wal_size: '4GB', synchronous_commit: 'on' },
    });
    const where = ['-h', server.instance.socketDir, '-p', String(server.instance.port), '-U', 'postgres'];
    await runOk(join(BIN, 'pgbench'), ['-i', '-q', '-s', context.quick ? '1' : '20', ...where, 'postgres'], {
      timeoutMs: 600_000,
    });
    const rates: number[] = [];
    const lags: number[] = [];
    const costs: number[] = [];
    const turn = async (receiver: Receiver): Promise<Turn> => {
      const running = await receiver.start();
      await server.sql('checkpoint');
      const from = await position(server);
      const seconds = context.quick ? 3 : 20;
      const began = systemClock.monotonic();
      const sampler = sampleLag(running, began + (seconds * 1000) / 2);
      await runOk(join(BIN, 'pgbench'), ['-n', '-N', '-c', '4', '-T', String(seconds), ...where, 'postgres'], {
        timeoutMs: 600_000,
      });
      const ended = systemClock.monotonic();
      const lag = await sampler.stop();
      const to = await position(server);
      while ((await running.stored()) < to) await sleep(20);
      const wall = (systemClock.monotonic() - ended) / 1000;
      const sample = await running.timed.stop();
      await server.sql(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`);
      if (receiver.isHoldfast) {
        const bytes = Number(to - from);
        rates.push(bytes / ((ended - began) / 1000));
        costs.push((sample.cpu / bytes) * TARGET);
        lags.push(lag);
      }
      return { sample: { ...sample, wall } };
    };
    const receivers = [holdfastReceiver(context, server), pgReceiveWal(context, server)];
    const rows = await contest<Receiver>(context, receivers, [{ what: 'stored after the load', turn }]);
    const figures = [
      { what: 'log written by the load', value: `${(median(rates) / MIB).toFixed(1)} MiB/s` },
      {
        what: 'processor time of Holdfast at 30 MB/s, at that cost a byte',
        value: `${median(costs).toFixed(2)} of a core`,
      },
      {
        what: 'longest time seen from a commit to its being stored, by a state that is written every second',
        value: `${Math.max(...lags).toFixed(1)} s`,
      },
    ];
    return { about: ABOUT, rows, figures };
  },
};

async function position(server: TestServer): Promise<bigint> {
  const [row] = await server.sql('select pg_current_wal_flush_lsn()::text as lsn');
  return parseLsn(String(row?.lsn));
}

/** From `from` on, when commits have been coming for a while. */
function sampleLag(running: Running, from: number): { stop(): Promise<number> } {
  let worst = 0;
  let over = false;
  const loop = (async () => {
    while (!over) {
      if (systemClock.monotonic() >= from) worst = Math.max(worst, (await running.lag()) ?? 0);
      await sleep(100);
    }
  })();
  return {
    stop: async () => {
      over = true;
      await loop;
      return worst;
    },
  };
}

function holdfastReceiver(context: BenchContext, server: TestServer): Receiver {
  return {
    name: 'Holdfast',
    isHoldfast: true,
    start: async () => {
      const directory = await context.workspace.directory('wal');
      const spool = join(directory, 'spool');
      const source = { type: 'postgres', url: server.url(), wal: { mode: 'stream', spool, slot: SLOT } };
      const config = await writeConfig(directory, {
        repository: { password: 'only for measuring' },
        storages: { local: { type: 'local', path: join(directory, 'storage') } },
        apps: { bench: { sources: { database: source } } },
      });
      await holdfastOk(['init', '--config', config]);
      const args = ['wal', 'stream', '--config', config, '--quiet'];
      const timed = startTimed({ program: HOLDFAST, args, env: profiling(context) }, context.workspace.path);
      await active(server);
      const state = async () => (await readStreamState(spool))?.storages.local;
      return {
        timed,
        stored: async () => parseLsn((await state())?.stored ?? '0/0'),
        lag: async () => {
          const commit = (await state())?.lastCommit;
          return commit == null ? undefined : systemClock.now() / 1000 - Number(commit) / 1e6;
        },
      };
    },
  };
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
      return { timed, stored, lag: async () => undefined };
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
