/** kopia, where a Go toolchain can build it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildGoProgram, toolsDirectory } from '../../test/support/restic.ts';
import { runOk } from '../../test/support/run.ts';
import type { Sample } from '../harness/measure.ts';
import { PASSWORD } from './holdfast.ts';
import { CommandVault, type Found, type Tool } from './tool.ts';

const MODULE = 'github.com/kopia/kopia';
const VERSION = 'v0.21.1';

export async function kopiaTool(): Promise<Found<Tool>> {
  const binary = join(toolsDirectory(), 'bin', 'kopia');
  const missing = `kopia: ${binary} is not there, and could not be built`;
  if (!existsSync(binary)) {
    if (process.env.HOLDFAST_BUILD_TOOLS !== '1') return { missing: `${missing} without HOLDFAST_BUILD_TOOLS=1` };
    const built = await buildGoProgram(`${MODULE}@${VERSION}`, MODULE, binary).catch(() => undefined);
    if (built === undefined) return { missing: `${missing} with the Go toolchain and module proxy here` };
  }
  return { tool: toolOf(binary) };
}

function toolOf(binary: string): Tool {
  return {
    name: `kopia ${VERSION.slice(1)}`,
    isHoldfast: false,
    create: async (context, source) => {
      const directory = await context.workspace.directory('kopia');
      const repository = join(directory, 'repository');
      const env = {
        KOPIA_PASSWORD: PASSWORD,
        KOPIA_CONFIG_PATH: join(directory, 'kopia.config'),
        KOPIA_CACHE_DIRECTORY: join(directory, 'cache'),
        KOPIA_LOG_DIR: join(directory, 'log'),
        KOPIA_CHECK_FOR_UPDATES: 'false',
      };
      await runOk(binary, ['repository', 'create', 'filesystem', '--path', repository], { env });
      await runOk(binary, ['policy', 'set', '--global', '--compression=zstd'], { env });
      return new KopiaVault({ context, directory, repository, program: binary, env }, source);
    },
  };
}

class KopiaVault extends CommandVault {
  readonly #source: string;

  constructor(parts: ConstructorParameters<typeof CommandVault>[0], source: string) {
    super(parts);
    this.#source = source;
  }

  backup(): Promise<Sample> {
    return this.measure(['snapshot', 'create', '--no-progress', this.#source]);
  }

  restore(target: string, only?: string): Promise<Sample> {
    const path = only === undefined ? this.#source : join(this.#source, only);
    return this.measure(['restore', '--no-progress', '--snapshot-time', 'latest', path, target]);
  }

  restoredAt(target: string): string {
    return target;
  }
}
