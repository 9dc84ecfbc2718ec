/** Making a restored tree durable: the whole file system at once where the machine can (`sync -f`), piece by piece where not. */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';

const TURN = 16;

/** Resolves when all that was written below `target` is on the disk. `paths` are its files and directories, needed only without `sync`. */
export async function makeDurable(target: string, paths: Iterable<Buffer>): Promise<void> {
  if (await syncFileSystem(target)) return;
  let turn = 0;
  for (const path of paths) {
    if (turn++ % TURN === 0) await setImmediate();
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
    this.#running = syncFileSystem(this.#target).finally(() => {
      this.#running = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running;
  }
}

function syncFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', path], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
