/**
 * Brings the log to a recovering server: segments are fetched ahead, several at a time, into a directory from which the server's
 * `restore_command` takes them. Memory and disk are bounded; a name that is asked for comes before those that are only expected.
 */
import { chmod, chown, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure } from '../../base/failure.ts';
import type { ServerAccount } from '../../postgres/account.ts';
import type { MomentPlan, PlannedLog } from '../moment.ts';
import { writeFetchScript } from './script.ts';
import { historyFiles, type PlannedSegment, segmentsOf, writeSegment } from './segments.ts';

const PARALLEL = 3;
/** Bytes that lie ready, in whole segments; two at least. */
const AHEAD_BYTES = 128 * 1024 * 1024;
const MAX_AHEAD = 16;
const POLL_MS = 20;

export interface FeedOptions {
  readonly plan: MomentPlan;
  /** Where its directory is made; on the file system of the data directory, so that taking a segment is only a rename. */
  readonly parent: string;
  readonly account: ServerAccount | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Hears how many bytes of log were brought so far. */
  readonly onProgress?: (bytes: number, segments: number) => void;
}

export class WalFeed implements AsyncDisposable {
  readonly segments: readonly PlannedSegment[];
  readonly #options: FeedOptions;
  readonly #log: PlannedLog;
  readonly #directory: string;
  readonly #ahead: number;
  readonly #closing = new AbortController();
  readonly #inFlight = new Set<string>();
  #cursor = 0;
  /** A server asks for its first segments twice. */
  readonly #brought = new Set<string>();
  #failure: Failure | undefined;
  #restoreCommand = '';
  #loop: Promise<void> = Promise.resolve();

  private constructor(options: FeedOptions) {
    this.#options = options;
    this.#log = options.plan.log;
    this.segments = segmentsOf(options.plan);
    this.#directory = join(options.parent, '.holdfast-wal');
    const fits = Math.floor(AHEAD_BYTES / this.#log.line.segmentSize);
    this.#ahead = Math.max(2, Math.min(MAX_AHEAD, fits));
  }

  static async open(options: FeedOptions): Promise<WalFeed> {
    const feed = new WalFeed(options);
    try {
      await feed.#prepare();
    } catch (error) {
      await feed[Symbol.asyncDispose]();
      throw error;
    }
    feed.#loop = feed.#run();
    return feed;
  }

  get restoreCommand(): string {
    return this.#restoreCommand;
  }

  /** What went wrong while fetching: then the server was told to stop. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 3 });
  }

  async #prepare(): Promise<void> {
    const { account } = this.#options;
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory);
    await chmod(this.#directory, 0o755);
    for (const name of ['history', 'ready', 'wanted']) {
      await mkdir(this.#at(name));
      await chmod(this.#at(name), 0o700);
      if (account) await chown(this.#at(name), account.uid, account.gid);
    }
    for (const [name, bytes] of await historyFiles(this.#log)) await this.#write(join('history', name), bytes);
    await this.#write('names', Buffer.from(this.segments.map(({ name }) => `${name}\n`).join('')));
    this.#restoreCommand = await writeFetchScript(this.#directory);
  }

  async #run(): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#closing.signal]);
    try {
      while (!signal.aborted) {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#advance();
        await this.#options.clock.sleep(POLL_MS, signal);
      }
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.#failure ??= asFailure(error);
        await this.#write('failed', Buffer.from(this.#failure.message)).catch(() => {});
      }
    }
    while (this.#inFlight.size > 0) await this.#options.clock.sleep(POLL_MS);
  }

  /** Starts what is asked for, then what will be. */
  async #advance(): Promise<void> {
    const ready = new Set(await readdir(this.#at('ready')));
    for (const name of await readdir(this.#at('wanted'))) {
      const index = this.segments.findIndex((segment) => segment.name === name);
      if (index >= 0 && !ready.has(name) && !this.#inFlight.has(name)) {
        await rm(this.#at('wanted', name), { force: true });
        this.#start(this.segments[index]!);
        this.#cursor = index + 1;
      }
    }
    while (this.#inFlight.size < PARALLEL && ready.size + this.#inFlight.size < this.#ahead) {
      const segment = this.segments[this.#cursor];
      if (segment === undefined) return;
      this.#cursor++;
      if (!ready.has(segment.name) && !this.#inFlight.has(segment.name)) this.#start(segment);
    }
  }

  #start(segment: PlannedSegment): void {
    this.#inFlight.add(segment.name);
    this.#bring(segment)
      .catch((error: unknown) => {
        this.#failure ??= asFailure(error);
      })
      .finally(() => this.#inFlight.delete(segment.name));
  }

  async #bring(segment: PlannedSegment): Promise<void> {
    const { account } = this.#options;
    const path = this.#at(segment.name);
    {
      await using file = await open(path, 'w', 0o600);
      if (account) await file.chown(account.uid, account.gid);
      await writeSegment(this.#log, segment, file);
    }
    await rename(path, this.#at('ready', segment.name));
    const { size } = this.#brought.add(segment.name);
    this.#options.onProgress?.(size * this.#log.line.segmentSize, size);
  }

  /** Readable by the server's account alone, or by us. */
  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const { account } = this.#options;
    await writeFile(this.#at(name), bytes, { mode: 0o600 });
    if (account) await chown(this.#at(name), account.uid, account.gid);
  }

  #at(...names: readonly string[]): string {
    return join(this.#directory, ...names);
  }
}
