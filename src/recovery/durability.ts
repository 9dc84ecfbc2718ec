/** Making a restored tree durable: the whole file system at once where the machine can (`sync -f`), file by file where not. */
import { spawn } from 'node:child_process';
import { syncDirectory } from './target.ts';

export interface Durability {
  /** Files must be synced one by one, as they are finished. */
  readonly each: boolean;
  /** Resolves when everything written below `path` is on the disk. `directories` are synced where the file system cannot be. */
  settle(directories: Iterable<Buffer>): Promise<void>;
}

/** Tries on the target which of the two ways there is. */
export async function openDurability(path: string): Promise<Durability> {
  if (await syncFileSystem(path)) {
    return {
      each: false,
      settle: async () => {
        if (!(await syncFileSystem(path))) throw new Error(`sync -f ${path} failed`);
      },
    };
  }
  return {
    each: true,
    settle: async (directories) => {
      for (const directory of directories) await syncDirectory(directory);
    },
  };
}

function syncFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', path], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
