/** Starts worker threads from modules, both from the TypeScript sources and from the built program. Their side: thread-port.ts. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

/** Threads that were started ahead of their use, by the address of their module. */
const spares = new Map<string, Worker>();

/** The module `name` beside the one whose `import.meta.url` is `beside`. */
export function threadModule(name: string, beside: string): URL {
  return new URL(`./${name}${extname(beside)}`, beside);
}

/**
 * Starts a thread ahead of its first use: it loads its modules while the key is derived or a storage is asked. It does not keep the process
 * alive. One that fails before it is used is forgotten: whoever wants it then starts another one, and hears of it.
 */
export function prepareThread(module: URL): void {
  if (spares.has(module.href)) return;
  const worker = start(module);
  worker.unref();
  worker.once('error', () => forget(module, worker));
  worker.once('exit', () => forget(module, worker));
  spares.set(module.href, worker);
}

/** A thread that has been told `data`: see `ThreadPort`. */
export function spawnThread(module: URL, data: unknown): Worker {
  const worker = spares.get(module.href) ?? start(module);
  forget(module, worker);
  worker.removeAllListeners();
  worker.ref();
  worker.postMessage(data);
  return worker;
}

function start(module: URL): Worker {
  return new Worker(module, { execArgv: [] }); // flags of `node -e` are not for it
}

function forget(module: URL, worker: Worker): void {
  if (spares.get(module.href) === worker) spares.delete(module.href);
}
