/**
 * A PostgreSQL server that we start ourselves on a data directory: for sandboxes, proofs, the demonstration and tests. It runs as a
 * child process under an account that is not root, listens on a private Unix socket (and a loopback port if asked), and stops when
 * disposed, or when this process is gone, however it ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import type { ServerAccount } from './account.ts';
import { freePort } from './free-port.ts';
import { programsReadableBy, type ServerPrograms } from './programs.ts';
import { type Watchdog, watch } from './watchdog.ts';

export type StopMode = 'smart' | 'fast' | 'immediate' | 'kill';

export interface InstanceOptions {
  readonly programs: ServerPrograms;
  /** Must belong to `account` (see `giveTo`), with mode 0700 or 0750. */
  readonly dataDir: string;
  /** Undefined: runs as ourselves, which must not be root. */
  readonly account: ServerAccount | undefined;
  /** Settings that win over the directory's own configuration files. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Listens on a free port of 127.0.0.1 too. Default: the Unix socket only. */
  readonly loopback?: boolean;
  /** Where the private directory for its socket and log is made. Default: the machine's directory for temporary files. */
  readonly runtimeParent?: string;
  /** Directories that are removed, after the server has stopped, when this process ends without stopping it. */
  readonly removeWhenOrphaned?: readonly string[];
  /** Waits for the end of recovery; otherwise a server that answers queries during recovery counts as started. */
  readonly untilRecovered?: boolean;
  /** Until the server accepts connections, recovery included. Default one minute. */
  readonly startTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
}

export interface InstanceUrl {
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  /** Over the loopback port instead of the socket. */
  readonly tcp?: boolean;
}

const SIGNALS: Readonly<Record<StopMode, NodeJS.Signals>> = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
  kill: 'SIGKILL',
};
const DEFAULT_START_MS = 60_000;
const STOP_MS = 30_000;
const POLL_MS = 25;
const LOG_TAIL = 16 * 1024;

export class PostgresInstance implements AsyncDisposable {
  readonly dataDir: string;
  readonly socketDir: string;
  readonly port: number;
  readonly programs: ServerPrograms;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #clock: Clock;
  readonly #watchdog: Watchdog | undefined;

  private constructor(options: InstanceOptions, place: { programs: ServerPrograms; socketDir: string; port: number }) {
    this.dataDir = options.dataDir;
    this.socketDir = place.socketDir;
    this.port = place.port;
    this.programs = place.programs;
    this.#clock = options.clock ?? systemClock;
    this.#child = this.#spawn(options);
    this.#exited = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.once('error', () => resolve());
    });
    const leftovers = [place.socketDir, ...(options.removeWhenOrphaned ?? [])];
    this.#watchdog = this.#child.pid === undefined ? undefined : watch(this.#child.pid, leftovers);
  }

  /** Starts the server and waits until it accepts connections; throws Failure `postgres_start_failed` with the end of its log. */
  static async start(options: InstanceOptions): Promise<PostgresInstance> {
    const programs = await programsReadableBy(options.programs, options.account);
    const socketDir = await mkdtemp(join(options.runtimeParent ?? tmpdir(), 'hf-pg-'));
    if (options.account) await chown(socketDir, options.account.uid, options.account.gid);
    const port = options.loopback ? await freePort() : 5432;
    const instance = new PostgresInstance(options, { programs, socketDir, port });
    try {
      await instance.#ready(options);
      return instance;
    } catch (error) {
      await instance.stop('immediate');
      throw error;
    }
  }

  /** A libpq URL for this server. */
  url({ user = 'postgres', password, database = 'postgres', tcp = false }: InstanceUrl = {}): string {
    const role = encodeURIComponent(user) + (password === undefined ? '' : `:${encodeURIComponent(password)}`);
    const name = encodeURIComponent(database);
    if (tcp) return `postgres://${role}@127.0.0.1:${this.port}/${name}`;
    return `postgres://${role}@/${name}?host=${encodeURIComponent(this.socketDir)}&port=${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.#child.pid !== undefined;
  }

  /** The last few KiB of the server's log. */
  async log(): Promise<string> {
    return (await readFile(this.#logFile, 'utf8').catch(() => '')).slice(-LOG_TAIL);
  }

  /** Tells the server to read its configuration files again. */
  reload(): void {
    this.#child.kill('SIGHUP');
  }

  /** Stops the server and waits for its end; a server that does not follow within half a minute is killed. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    if (this.running) {
      this.#child.kill(SIGNALS[mode]);
      const timers = [
        setTimeout(() => this.#child.kill('SIGQUIT'), STOP_MS),
        setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS + 5000),
      ];
      await this.#exited;
      for (const timer of timers) clearTimeout(timer);
    }
    this.#watchdog?.release();
    await rm(this.socketDir, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #logFile(): string {
    return join(this.socketDir, 'server.log');
  }

  #spawn({ account, settings = {}, loopback }: InstanceOptions): ChildProcess {
    const all = {
      listen_addresses: loopback ? '127.0.0.1' : '',
      unix_socket_directories: this.socketDir,
      port: String(this.port),
      logging_collector: 'off',
      log_destination: 'stderr',
      ...settings,
    };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const log = openSync(this.#logFile, 'a', 0o600);
    try {
      return spawn(join(this.programs.bin, 'postgres'), ['-D', this.dataDir, ...args], {
        cwd: '/',
        // Its own process group: an interrupt from the terminal is ours to handle.
        detached: true,
        stdio: ['ignore', log, log],
        ...(account ? { uid: account.uid, gid: account.gid } : {}),
      });
    } finally {
      closeSync(log);
    }
  }

  /** The eighth line of postmaster.pid says `ready`, or `standby` for a server in recovery that answers queries. */
  async #ready({ startTimeoutMs = DEFAULT_START_MS, untilRecovered, signal }: InstanceOptions): Promise<void> {
    const deadline = this.#clock.monotonic() + startTimeoutMs;
    const state = untilRecovered ? /^ready/ : /^(ready|standby)/;
    while (this.running) {
      const lines = (await readFile(join(this.dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
      if (Number(lines[0]) === this.pid && state.test(lines[7] ?? '')) return;
      if (this.#clock.monotonic() > deadline)
        throw await this.#startFailure(`was not ready within ${startTimeoutMs / 1000} s`);
      if (signal?.aborted) throw new Failure('interrupted', 'Interrupted while PostgreSQL was starting.');
      await this.#clock.sleep(POLL_MS);
    }
    throw await this.#startFailure(`ended with ${this.#child.exitCode ?? this.#child.signalCode ?? 'an error'}`);
  }

  async #startFailure(what: string): Promise<Failure> {
    const log = await this.log();
    const fatal = log.split('\n').findLast((line) => /FATAL|PANIC|ERROR/.test(line));
    return new Failure('postgres_start_failed', `PostgreSQL ${this.programs.version} on ${this.dataDir} ${what}.`, {
      hint: fatal?.trim() ?? log.trim().split('\n').at(-1) ?? 'It said nothing.',
      details: { log },
    });
  }
}
