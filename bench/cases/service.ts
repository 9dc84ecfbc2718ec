/** The same backup from the command line and by the service: what the lease, the record and the pipe to the worker cost. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../src/postgres/free-port.ts';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { startService } from '../../test/support/service.ts';
import { contest, type Turn } from '../harness/contest.ts';
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

interface RunTimes {
  readonly started_at: string;
  readonly finished_at: string;
}

export const service: Bench = {
  name: 'service',
  title: 'A backup by the service',
  async run(context) {
    const source = await context.directory();
    const ways: Way[] = [
      { name: 'Holdfast, from the command line', isHoldfast: true, backUp: byCommand },
      { name: 'Holdfast, by the service', isHoldfast: false, backUp: byService },
    ];
    const turn = async ({ backUp }: Way) => {
      const config = await newRepository(context, source);
      const done = await backUp(config);
      await context.workspace.remove(config.directory);
      return done;
    };
    return {
      about:
        'The first backup of the directory of the first table. By the service: from the moment in which a worker took the run until its record says that it is over; processor time is that of the service ' +
        'with what it started in that time, its look at the storages afterwards included; memory is that of the service alone.',
      rows: await contest(context, ways, [{ what: 'first backup', turn }]),
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

async function byService({ file, port }: Config): Promise<Turn> {
  const { summary } = await holdfastOk([
    'token',
    'create',
    'bench',
    '--role',
    'administrator',
    '--json',
    '--config',
    file,
  ]);
  await using running = await startService(file, { port, token: String(summary?.token) });
  const before = await processorTime(running.child.pid!);
  const { id, state, error } = await running.run('backup', 'bench');
  if (state !== 'succeeded') throw new Error(`the run ended as ${state}: ${error?.message}`);
  const { body } = await running.call<RunTimes>('GET', `/runs/${id}`);
  const wall = (Date.parse(body.finished_at) - Date.parse(body.started_at)) / 1000;
  const cpu = (await processorTime(running.child.pid!)) - before;
  return { sample: { wall, cpu, rss: await peakOf(running.child.pid!), output: '' } };
}

/** Peak resident memory of a process so far, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kib) * 1024;
}
