/** Starts worker threads from modules of this folder, both from the TypeScript sources and from the built program. */
import { Worker } from 'node:worker_threads';

export type ThreadModule = 'seal-worker' | 'unseal-worker' | 'verify-worker';

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const spares = new Map<ThreadModule, Worker>();

/**
 * Starts a thread ahead of its first use: it loads its modules while the key is derived or a storage is asked. It does not keep the process
 * alive. One that fails before it is used is forgotten: whoever wants it then starts another one, and hears of it.
 */
export function prepareThread(module: ThreadModule): void {
  if (spares.has(module)) return;
  const worker = start(module);
  worker.unref();
  worker.once('error', () => forget(module, worker));
  worker.once('exit', () => forget(module, worker));
  spares.set(module, worker);
}

/** A thread that has its data: see `threadData`. */
export function spawnThread(module: ThreadModule, data: unknown): Worker {
  const worker = spares.get(module) ?? start(module);
  forget(module, worker);
  worker.removeAllListeners();
  worker.ref();
  worker.postMessage(data);
  return worker;
}

function start(module: ThreadModule): Worker {
  return new Worker(new URL(`./${module}${extension}`, import.meta.url));
}

function forget(module: ThreadModule, worker: Worker): void {
  if (spares.get(module) === worker) spares.delete(module);
}
