/** Starts a worker thread from a module of this folder, both from the TypeScript source and from the built package. */
import { Worker } from 'node:worker_threads';

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

export function spawnWorker(module: string, workerData: unknown): Worker {
  return new Worker(new URL(`./${module}${extension}`, import.meta.url), { workerData });
}
