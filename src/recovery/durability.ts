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

function syncFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', path], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
