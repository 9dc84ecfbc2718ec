/** Holdfast as its users run it: `bin/holdfast` with a configuration file. */
import { join } from 'node:path';
import { HOLDFAST, holdfastOk, writeConfig } from '../../test/support/holdfast.ts';
import { runOk } from '../../test/support/run.ts';
import type { BenchContext } from '../harness/context.ts';
import type { Sample } from '../harness/measure.ts';
import { bytesBelow } from '../harness/workspace.ts';
import { CommandVault, type Tool } from './tool.ts';

export const PASSWORD = 'only for measuring';
const SOURCE = 'data';

export interface HoldfastOptions {
  /** Storages of type `local`; default 1. */
  readonly copies?: number;
  /** Storages of other types, in the form of the configuration file, instead. */
  readonly storages?: Readonly<Record<string, object>>;
  /** The source, in the form of the configuration file; default the directory given to `create`. */
  readonly source?: object;
}

export async function holdfastTool(options: HoldfastOptions = {}): Promise<Tool> {
  const { stdout } = await runOk(HOLDFAST, ['version']);
  const version = /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? stdout.trim();
  return {
    name: `Holdfast ${version}`,
    isHoldfast: true,
    create: (context, source) => createVault(context, source, options),
  };
}

/** What makes Holdfast write processor profiles into the directory of the run, when they are asked for. */
export function profiling(context: BenchContext): Record<string, string> {
  if (context.profiles === undefined) return {};
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${context.profiles}` };
}

async function createVault(context: BenchContext, path: string, options: HoldfastOptions): Promise<HoldfastVault> {
  const { copies = 1, source = { type: 'files', path } } = options;
  const directory = await context.workspace.directory('holdfast');
  const repository = join(directory, 'storages');
  const local = Array.from({ length: copies }, (_, i) => [
    `s${i + 1}`,
    { type: 'local', path: join(repository, `s${i + 1}`) },
  ]);
  const config = await writeConfig(directory, {
    repository: { password: PASSWORD },
    storages: options.storages ?? Object.fromEntries(local),
    apps: { bench: { sources: { [SOURCE]: source } } },
  });
  await holdfastOk(['init', '--config', config]);
  return new HoldfastVault({ context, directory, repository, program: HOLDFAST, env: profiling(context) }, config);
}

class HoldfastVault extends CommandVault {
  readonly #config: string;

  constructor(parts: ConstructorParameters<typeof CommandVault>[0], config: string) {
    super(parts);
    this.#config = config;
  }

  backup(): Promise<Sample> {
    return this.measure(['backup', '--config', this.#config, '--json']);
  }

  restore(target: string, only?: string): Promise<Sample> {
    const paths = only === undefined ? [] : ['--path', only];
    return this.measure(['restore', 'latest', '--config', this.#config, '--json', '--to', target, ...paths]);
  }

  restoredAt(target: string): string {
    return join(target, SOURCE);
  }

  /** Of one copy: the first storage. */
  override stored(): Promise<number> {
    return bytesBelow(join(this.parts.repository, 's1'));
  }
}
