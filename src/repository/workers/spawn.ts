/** The threads whose modules are in this folder. */
import type { Worker } from 'node:worker_threads';
import * as threads from '../../base/threads.ts';

export type ThreadModule = 'seal-worker' | 'unseal-worker' | 'verify-worker';

/** See base/threads.ts. */
export function prepareThread(module: ThreadModule): void {
  threads.prepareThread(threads.threadModule(module, import.meta.url));
}

/** See base/threads.ts. */
export function spawnThread(module: ThreadModule, data: unknown): Worker {
  return threads.spawnThread(threads.threadModule(module, import.meta.url), data);
}
