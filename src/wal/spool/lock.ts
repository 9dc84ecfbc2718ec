/**
 * One process at a time works in a spool. The lock file names its process by id, start time and process namespace. A process of the same
 * namespace is looked up; one of another (a container that shares the directory) shows that it lives by renewing the file.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { parseJsonObject } from '../../base/json-object.ts';

const NAME = 'lock';
const RENEW_MS = 5_000;
const STALE_MS = 30_000;
const LOOK_MS = 1_000;

interface Holder {
  readonly pid: number;
  /** Clock ticks after the machine started; empty where that cannot be known. */
  readonly started: string;
  readonly namespace: string;
}

export class SpoolLock implements AsyncDisposable {
  readonly #path: string;
  readonly #renewal: NodeJS.Timeout;

  private constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#renewal = setInterval(() => void touch(path, clock).catch(() => {}), RENEW_MS);
    this.#renewal.unref();
  }

  /** Throws `locked` when a living process holds the spool. */
  static async acquire(directory: string, clock: Clock, signal?: AbortSignal): Promise<SpoolLock> {
    const path = join(directory, NAME);
    const me: Holder = { pid: process.pid, started: startOf(process.pid) ?? '', namespace: namespace() };
    const deadline = clock.monotonic() + STALE_MS + LOOK_MS;
    for (;;) {
      if (await create(path, me)) return new SpoolLock(path, clock);
      const state = await look(path, clock);
      const isWorthWaiting = state === 'unknown' && clock.monotonic() < deadline;
      if (state !== 'gone' && !isWorthWaiting) throw held(directory);
      if (state === 'gone') await takeAway(path);
      else await clock.sleep(LOOK_MS, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#renewal);
    await rm(this.#path, { force: true });
  }
}

async function create(path: string, me: Holder): Promise<boolean> {
  try {
    await writeFile(path, `${JSON.stringify(me)}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if (errno(error) === 'EEXIST') return false;
    throw new Failure('spool_failed', `The spool cannot be locked: ${(error as Error).message}.`, { cause: error });
  }
}

/** Whether who holds the lock lives. `unknown`: it cannot be looked up, and the file was renewed lately. */
async function look(path: string, clock: Clock): Promise<'lives' | 'gone' | 'unknown'> {
  try {
    const holder = parse(await readFile(path, 'utf8'));
    const age = clock.now() - (await stat(path)).mtimeMs;
    if (holder?.namespace === namespace()) {
      const started = startOf(holder.pid);
      return started === undefined || (holder.started !== '' && started !== holder.started) ? 'gone' : 'lives';
    }
    return age > STALE_MS ? 'gone' : 'unknown';
  } catch {
    return 'unknown';
  }
}

/** Of several that take a dead lock away, each takes at most the file it looked at or finds none. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  await rename(path, aside).catch(() => {});
  await rm(aside, { force: true });
}

function parse(text: string): Holder | undefined {
  const { pid, started, namespace } = parseJsonObject(text) ?? {};
  return typeof pid === 'number' && typeof started === 'string'
    ? { pid, started, namespace: String(namespace) }
    : undefined;
}

/** When a process started; undefined when there is none of that id. */
function startOf(pid: number): string | undefined {
  try {
    // Field 22 of /proc/PID/stat; the second field is a name in parentheses that may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    try {
      process.kill(pid, 0);
      return '';
    } catch (error) {
      return errno(error) === 'EPERM' ? '' : undefined;
    }
  }
}

function namespace(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return 'this machine';
  }
}

async function touch(path: string, clock: Clock): Promise<void> {
  const now = new Date(clock.now());
  await utimes(path, now, now);
}

function held(directory: string): Failure {
  return new Failure('locked', `Another process streams into ${directory}.`, {
    hint: 'One "holdfast wal stream" per source is enough. Stop the other one, or give this source a spool of its own (wal.spool).',
  });
}
