/** The real restic, our strict judge: it reads what we write and writes what we read. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jsonLines } from './holdfast.ts';
import { isInstalled } from './needs.ts';
import { type Finished, run, runOk } from './run.ts';

export interface ResticSnapshot {
  readonly id: string;
  readonly short_id: string;
  readonly time: string;
  readonly hostname: string;
  readonly paths: readonly string[];
  readonly tags?: readonly string[];
  readonly tree: string;
  readonly parent?: string;
}

export interface ResticOptions {
  /** The program; default `restic` from PATH. See `modernRestic`. */
  readonly binary?: string;
  /** Extra environment, such as `AWS_ACCESS_KEY_ID` for `s3:` repositories. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** One repository as restic sees it: `location` is a directory or `s3:http://host/bucket/prefix`. */
export class Restic {
  readonly location: string;
  readonly #password: string;
  readonly #options: ResticOptions;

  constructor(location: string, password: string, options: ResticOptions = {}) {
    this.location = location;
    this.#password = password;
    this.#options = options;
  }

  /** Runs `restic args…` and resolves whatever its exit status. */
  run(...args: readonly string[]): Promise<Finished> {
    return run(this.#binary, ['--no-cache', ...args], this.#runOptions());
  }

  /** Runs `restic args…`; throws with its output unless it exits with 0. */
  ok(...args: readonly string[]): Promise<Finished> {
    return runOk(this.#binary, ['--no-cache', ...args], this.#runOptions());
  }

  /** Creates the repository, format version 2. */
  async init(): Promise<void> {
    await this.ok('init', '--repository-version', '2');
  }

  async snapshots(): Promise<ResticSnapshot[]> {
    const { stdout } = await this.ok('snapshots', '--json');
    return JSON.parse(stdout) as ResticSnapshot[];
  }

  /** Backs up `paths` and returns the new snapshot's id. */
  async backup(paths: readonly string[], ...flags: readonly string[]): Promise<string> {
    const { stdout } = await this.ok('backup', '--json', ...flags, ...paths);
    const summary = jsonLines(stdout).findLast((line) => line.message_type === 'summary');
    return String(summary?.snapshot_id);
  }

  /** `check --read-data`: every pack read, decrypted and hashed. Throws when restic finds anything wrong. */
  async check(): Promise<void> {
    await this.ok('check', '--read-data');
  }

  async restore(snapshot: string, target: string, ...flags: readonly string[]): Promise<void> {
    await this.ok('restore', snapshot, '--target', target, ...flags);
  }

  get #binary(): string {
    return this.#options.binary ?? 'restic';
  }

  #runOptions() {
    return {
      env: { RESTIC_REPOSITORY: this.location, RESTIC_PASSWORD: this.#password, ...this.#options.env },
      timeoutMs: this.#options.timeoutMs ?? 300_000,
    };
  }
}

/** Where programs that tests and benchmarks build for themselves are kept between runs: outside the project. */
export function toolsDirectory(): string {
  return process.env.HOLDFAST_TOOLS ?? join(tmpdir(), 'holdfast-tools');
}

const MODERN_RESTIC = 'github.com/restic/restic@v0.18.1';

/**
 * Path of a restic newer than the distribution's, or undefined. Building takes minutes, so it happens only with
 * `HOLDFAST_BUILD_TOOLS=1` and a Go toolchain; afterwards the cached program is used without being asked for.
 */
export async function modernRestic(): Promise<string | undefined> {
  const binary = join(toolsDirectory(), 'bin', 'restic');
  if (existsSync(binary)) return binary;
  if (process.env.HOLDFAST_BUILD_TOOLS !== '1') return undefined;
  return buildGoProgram(MODERN_RESTIC, 'github.com/restic/restic/cmd/restic', binary);
}

/** Builds `program` of `module@version` into `binary`, gently; undefined without a Go toolchain. Takes minutes. */
export async function buildGoProgram(module: string, program: string, binary: string): Promise<string | undefined> {
  const go = isInstalled('go') ? 'go' : '/usr/local/go/bin/go';
  if (go !== 'go' && !existsSync(go)) return undefined;
  // A module of our own that requires the program: proxies that serve modules need not know what "@latest" is.
  const cwd = await mkdtemp(join(tmpdir(), 'holdfast-go-'));
  const gently = (...args: string[]) =>
    runOk('nice', ['-n', '19', go, ...args], { env: { GOFLAGS: '-p=1' }, cwd, timeoutMs: 15 * 60_000 });
  try {
    await gently('mod', 'init', 'tools');
    await gently('get', module);
    await gently('build', '-mod=mod', '-o', binary, program);
    return binary;
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}
