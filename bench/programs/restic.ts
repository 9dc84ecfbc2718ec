/** restic: the distribution's and the current one. */
import { join } from 'node:path';
import { need } from '../../test/support/needs.ts';
import { modernRestic } from '../../test/support/restic.ts';
import { runOk } from '../../test/support/run.ts';
import type { BenchContext } from '../harness/context.ts';
import { measure, type Sample } from '../harness/measure.ts';
import { PASSWORD } from './holdfast.ts';
import { CommandVault, type Found, type Tool } from './tool.ts';

export interface ResticTool extends Tool {
  readonly binary: string;
  /** A repository that is there already, made with our password. */
  attach(context: BenchContext, repository: string): ResticVault;
  /** A repository at `location` (a directory, or `s3:…`) with the same chunker parameters as `like`. */
  createCopy(like: ResticVault, location: string): Promise<void>;
  create(context: BenchContext, source: string, location?: string, env?: Record<string, string>): Promise<ResticVault>;
}

/** Debian's restic and the newest that can be had, in this order. */
export async function resticTools(): Promise<Found<ResticTool>[]> {
  const { skip } = await need('restic');
  const modern = await modernRestic().catch(() => undefined);
  const absent =
    'a current restic: no Go toolchain or no module proxy to build it with, or HOLDFAST_BUILD_TOOLS is not 1';
  return [
    skip ? { missing: `restic of the distribution: ${skip}` } : { tool: await resticTool('restic') },
    modern === undefined ? { missing: absent } : { tool: await resticTool(modern) },
  ];
}

/** The newest restic at hand. */
export async function newestRestic(): Promise<Found<ResticTool>> {
  const found = await resticTools();
  return found.findLast((one) => 'tool' in one) ?? (found[0] as Found<ResticTool>);
}

async function resticTool(binary: string): Promise<ResticTool> {
  const { stdout } = await runOk(binary, ['version']);
  const version = /restic (\S+)/.exec(stdout)?.[1] ?? stdout.trim();
  return {
    name: `restic ${version}`,
    binary,
    isHoldfast: false,
    create: async (context, source, location, env = {}) => {
      const directory = await context.workspace.directory('restic');
      const repository = location ?? join(directory, 'repository');
      const access = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: PASSWORD, ...env };
      await runOk(binary, ['--no-cache', 'init', '--repository-version', '2'], { env: access });
      return new ResticVault({ context, directory, repository, program: binary, env: access }, source);
    },
    attach: (context, repository) => {
      const env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: PASSWORD };
      return new ResticVault({ context, directory: repository, repository, program: binary, env }, '/');
    },
    createCopy: async (like, location) => {
      const env = { ...like.environment, RESTIC_REPOSITORY: location };
      const args = ['--no-cache', 'init', '--repository-version', '2', ...like.fromFlags, '--copy-chunker-params'];
      await runOk(binary, args, { env });
    },
  };
}

export class ResticVault extends CommandVault {
  readonly #source: string;

  constructor(parts: ConstructorParameters<typeof CommandVault>[0], source: string) {
    super(parts);
    this.#source = source;
  }

  get location(): string {
    return this.parts.repository;
  }

  get environment(): Readonly<Record<string, string>> {
    return this.parts.env;
  }

  /** 0.14 takes the password of the other repository from a command or a file only; every version does. */
  get fromFlags(): readonly string[] {
    return ['--from-repo', this.location, '--from-password-command', `echo ${JSON.stringify(PASSWORD)}`];
  }

  backup(): Promise<Sample> {
    return this.measure(['--no-cache', 'backup', '--json', '--quiet', this.#source]);
  }

  restore(target: string, only?: string): Promise<Sample> {
    const include = only === undefined ? [] : ['--include', join(this.#source, only)];
    return this.measure(['--no-cache', '--quiet', 'restore', 'latest', '--target', target, ...include]);
  }

  restoredAt(target: string): string {
    return join(target, this.#source);
  }

  /** Copies everything to the repository at `location`. */
  copyTo(location: string): Promise<Sample> {
    const { program, env, context } = this.parts;
    const args = ['--no-cache', '--quiet', 'copy', ...this.fromFlags];
    return measure({ program, args, env: { ...env, RESTIC_REPOSITORY: location } }, context.workspace.path);
  }

  /** Opens the repository, reads its whole index, finds nothing. */
  loadIndex(): Promise<Sample> {
    return this.measure(['--no-cache', 'find', '--blob', '0'.repeat(64)]);
  }
}
