/**
 * Making a restored tree durable: a small one piece by piece, so that nobody waits for what others have written; a large one with its whole
 * file system at once where the machine can (`sync -f`), piece by piece where not.
 */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { errno } from '../base/errno.ts';

const TURN = 16;
/** Up to so many files and directories are flushed one by one. */
const FEW = 64;

export interface DurabilityOptions {
  /** Flushes the file system that holds a path; false where the machine cannot. Default: `sync -f`. */
  readonly syncFileSystem?: (path: string) => Promise<boolean>;
}

/** Resolves when all that was written below `target` is on the disk. `paths` are its files and directories. */
export async function makeDurable(
  target: string,
  paths: Iterable<Buffer>,
  { syncFileSystem = syncByProgram }: DurabilityOptions = {},
): Promise<void> {
  const all = paths[Symbol.iterator]();
  const first = take(all, FEW + 1);
  const isLarge = first.length > FEW;
  if (isLarge && (await syncFileSystem(target))) return;
  try {
    await flushEach(first);
    for (let more = take(all, TURN); more.length > 0; more = take(all, TURN)) await flushEach(more);
  } catch (error) {
    // a file that its own mode closes to us cannot be opened again
    if (isLarge || errno(error) !== 'EACCES' || !(await syncFileSystem(target))) throw error;
  }
}

function take(paths: Iterator<Buffer>, count: number): Buffer[] {
  const taken: Buffer[] = [];
  while (taken.length < count) {
    const next = paths.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

async function flushEach(paths: readonly Buffer[]): Promise<void> {
  for (const [number, path] of paths.entries()) {
    if (number % TURN === 0) await setImmediate();
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/** Written bytes after which the disk is set to work: what is flushed meanwhile need not be waited for at the end. */
const FLUSH_EVERY = 256 * 1024 * 1024;

/** Flushes while a restore still writes. Leaving its block waits for the flush under way; nothing depends on any having happened. */
export class EarlyFlush implements AsyncDisposable {
  readonly #target: string;
  #asked = 0;
  #running: Promise<boolean> | undefined;

  constructor(target: string) {
    this.#target = target;
  }

  /** Hears now and then how many bytes were written so far. */
  wrote(total: number): void {
    if (this.#running !== undefined || total - this.#asked < FLUSH_EVERY) return;
    this.#asked = total;
    this.#running = syncByProgram(this.#target).finally(() => {
      this.#running = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }
}

function syncByProgram(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', path], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
