/** borg, with the fastest of its encryptions on a processor without SHA extensions, and zstd as the others use it. */
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { need } from '../../test/support/needs.ts';
import { runOk } from '../../test/support/run.ts';
import type { Sample } from '../harness/measure.ts';
import { PASSWORD } from './holdfast.ts';
import { CommandVault, type Found, type Tool } from './tool.ts';

export async function borgTool(): Promise<Found<Tool>> {
  const { skip } = await need('borg');
  if (skip) return { missing: `borg: ${skip}` };
  const { stdout } = await runOk('borg', ['--version']);
  const tool: Tool = {
    name: `borg ${stdout.trim().split(' ').at(-1)}`,
    isHoldfast: false,
    create: async (context, source) => {
      const directory = await context.workspace.directory('borg');
      const repository = join(directory, 'repository');
      // Its cache is as new as the repository; without one it could not tell unchanged files.
      const env = { BORG_PASSPHRASE: PASSWORD, BORG_BASE_DIR: join(directory, 'base'), BORG_REPO: repository };
      await runOk('borg', ['init', '--encryption=repokey-blake2'], { env });
      return new BorgVault({ context, directory, repository, program: 'borg', env }, source);
    },
  };
  return { tool };
}

class BorgVault extends CommandVault {
  readonly #source: string;
  #archive = 0;

  constructor(parts: ConstructorParameters<typeof CommandVault>[0], source: string) {
    super(parts);
    this.#source = source;
  }

  backup(): Promise<Sample> {
    return this.measure(['create', '--compression', 'zstd,3', `::${++this.#archive}`, this.#source]);
  }

  async restore(target: string, only?: string): Promise<Sample> {
    await mkdir(target);
    const path = only === undefined ? [] : [relative('/', join(this.#source, only))];
    return this.measure(['extract', `::${this.#archive}`, ...path], target);
  }

  restoredAt(target: string): string {
    return join(target, this.#source);
  }
}
