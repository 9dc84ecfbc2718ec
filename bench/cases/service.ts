/**
 * The same backup from the command line and by the service: what the lease, the record and the pipe to the worker cost. What the service does
 * beside it for itself (its first look at the storages, its look after the run) is over before, or begins afterwards.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { type Run, type Service, startService } from '../../test/support/service.ts';
import { contest, median, type Turn } from '../harness/contest.ts';
import type { Bench, BenchContext } from '../harness/context.ts';
import { measure } from '../harness/measure.ts';
import { processorTime } from '../harness/server-time.ts';

interface Way {
  readonly name: string;
  readonly isHoldfast: boolean;
  /** A first backup into the new repository of the configuration file. */
  readonly backUp: (config: Config) => Promise<Turn>;
}

interface Config {
  readonly file: string;
  readonly directory: string;
  readonly port: number;
}

interface RunTimes extends Run {
  readonly created_at: string;
  readonly started_at: string;
  readonly finished_at: string;
}

/** How often the service is asked whether the run is over, in ms: a look costs what it measures. */
const ASK_EVERY = 1_000;

export const service: Bench = {
  name: 'service',
  title: 'A backup by the service',
  async run(context) {
    const source = await context.directory();
    const queued: number[] = [];
    const ways: Way[] = [
      { name: 'Holdfast, from the command line', isHoldfast: true, backUp: byCommand },
      { name: 'Holdfast, by the service', isHoldfast: false, backUp: (config) => byService(config, queued) },
    ];
    const turn = async ({ backUp }: Way) => {
      const config = await newRepository(context, source);
      const done = await backUp(config);
      await context.workspace.remove(config.directory);
      return done;
    };
    const rows = await contest(context, ways, [{ what: 'first backup', turn }]);
    return {
      about:
        'The first backup of the directory of the first table. By the service: from the moment in which a worker took the run until its record says that it is over; processor time is that of the service ' +
        'with the run, memory that of the service alone. The service has looked at the storages before it is asked, and looks again afterwards; neither is in these figures.',
      rows,
      figures: [{ what: 'from asking for the run to its start', value: `${median(queued).toFixed(0)} ms` }],
    };
  },
};

async function newRepository(context: BenchContext, source: string): Promise<Config> {
  const directory = await context.workspace.directory('service');
  const port = await freePort();
  const file = await writeConfig(directory, {
    repository: { password: 'correct horse battery staple' },
    storages: { a: { type: 'local', path: join(directory, 'a') } },
    catalog: { path: join(directory, 'catalog.sqlite') },
    server: { listen: `127.0.0.1:${port}` },
    apps: { bench: { sources: { data: { type: 'files', path: source } } } },
  });
  await holdfastOk(['init', '--config', file]);
  return { file, directory, port };
}

async function byCommand({ file, directory }: Config): Promise<Turn> {
  return { sample: await measure({ program: HOLDFAST, args: ['backup', '--config', file, '--json'] }, directory) };
}

/** How long the run waited before it began goes into `queued`, in ms. */
async function byService({ file, port }: Config, queued: number[]): Promise<Turn> {
  const words = ['token', 'create', 'bench', '--role', 'administrator', '--json', '--config', file];
  const { summary } = await holdfastOk(words);
  await using running = await startService(file, { port, token: String(summary?.token) });
  const pid = running.child.pid!;
  await looked(running);
  const before = await processorTime(pid);
  const asked = await running.call<{ readonly run: Run }>('POST', '/runs', { kind: 'backup', app: 'bench' });
  const run = await ended(running, asked.body.run.id);
  const cpu = (await processorTime(pid)) - before;
  const [created, started, finished] = [run.created_at, run.started_at, run.finished_at].map(Date.parse);
  queued.push(started! - created!);
  return { sample: { wall: (finished! - started!) / 1000, cpu, rss: await peakOf(pid), output: '' } };
}

async function ended(running: Service, id: string): Promise<RunTimes> {
  for (;;) {
    await systemClock.sleep(ASK_EVERY);
    const { body } = await running.call<RunTimes>('GET', `/runs/${id}`);
    if (body.state === 'succeeded') return body;
    if (!['queued', 'running'].includes(body.state))
      throw new Error(`the run ended as ${body.state}: ${body.error?.message}`);
  }
}

/** Waits until the service has seen the storages and does nothing more with other processes. */
async function looked(running: Service): Promise<void> {
  const pid = running.child.pid!;
  for (let quiet = 0; quiet < 3; quiet++) {
    await systemClock.sleep(ASK_EVERY);
    const { body } = await running.call<{ readonly items: readonly { seen_at: string | null }[] }>('GET', '/storages');
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1');
    if (children !== '' || body.items.some(({ seen_at: at }) => at === null)) quiet = -1;
  }
}

/** Peak resident memory of a process so far, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) * 1024;
}
