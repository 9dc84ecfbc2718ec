/**
 * The main thread's side of scanning: starts the thread, takes its batches in order, stops it.
 *
 * The two share two counters. The scanner sleeps (`Atomics.wait`) while it is `maxAhead` batches ahead of the reader, so that a tree
 * of any size takes a bounded amount of memory: at most 16 batches of 208 KiB (3.3 MiB), plus the names of the directories on the path
 * to where the scanner is (about 50 bytes each; a directory of a million names: 50 MiB while it is visited).
 */
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import { prepareThread, spawnThread, threadModule } from '../../base/threads.ts';
import type { PackedBatch } from './packed-batch.ts';

/** Indexes into the shared counters. */
export const SLOT = { taken: 0, stop: 1 } as const;

const MODULE = threadModule('scan-worker', import.meta.url);

/** Batches that the scanner may be ahead of the reader. */
const MAX_AHEAD = 16;

export interface ScanRequest {
  /** Absolute path as a byte string, without a trailing slash; empty for `/`. */
  readonly root: string;
  readonly device: bigint;
  readonly exclude: readonly string[];
  readonly oneFileSystem: boolean;
  readonly excludeCaches: boolean;
}

export interface ScanOrder extends ScanRequest {
  readonly control: SharedArrayBuffer;
  readonly maxAhead: number;
}

export type ScanMessage =
  | { readonly type: 'batch'; readonly batch: PackedBatch }
  | { readonly type: 'end' }
  | { readonly type: 'failed'; readonly code: string | undefined; readonly reason: string };

/** A tree will be scanned: the thread gets ready meanwhile. */
export function prepareScan(): void {
  prepareThread(MODULE);
}

/** The batches of one tree, in order. Leaving the loop early, or `signal`, stops the thread. Throws `source_unreadable` or `internal`. */
export async function* scanInThread(request: ScanRequest, signal?: AbortSignal): AsyncGenerator<PackedBatch, void> {
  signal?.throwIfAborted();
  const control = new Int32Array(new SharedArrayBuffer(8));
  const order: ScanOrder = { ...request, control: control.buffer, maxAhead: MAX_AHEAD };
  const worker = spawnThread(MODULE, order);
  const inbox = new Inbox(worker, signal);
  try {
    for (;;) {
      const message = await inbox.next();
      if (message.type === 'end') return;
      if (message.type === 'failed') throw scanFailure(message.code, message.reason);
      Atomics.add(control, SLOT.taken, 1);
      Atomics.notify(control, SLOT.taken);
      yield message.batch;
    }
  } finally {
    inbox.close();
    Atomics.store(control, SLOT.stop, 1);
    Atomics.add(control, SLOT.taken, 1);
    Atomics.notify(control, SLOT.taken);
    await worker.terminate();
  }
}

function scanFailure(code: string | undefined, reason: string): Failure {
  if (code === undefined) return new Failure('internal', `Scanning the files failed: ${reason}`);
  return new Failure('source_unreadable', `The directory cannot be listed: ${reason}.`, {
    hint: 'Run as a user who may read it, and check that its volume is mounted.',
  });
}

/** What the thread has said and nobody has taken yet. */
class Inbox {
  readonly #messages: ScanMessage[] = [];
  readonly #signal: AbortSignal | undefined;
  #error: unknown;
  #wake: (() => void) | undefined;
  readonly #abort = () => this.#fail(this.#signal?.reason);

  constructor(worker: Worker, signal: AbortSignal | undefined) {
    this.#signal = signal;
    worker.on('message', (message: ScanMessage) => {
      this.#messages.push(message);
      this.#wake?.();
    });
    worker.on('error', (cause) => this.#fail(new Failure('internal', 'The scanning thread failed.', { cause })));
    worker.on('exit', () => this.#fail(new Failure('internal', 'The scanning thread ended too early.')));
    signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** The next message; rejects as soon as the thread has failed or the signal fired. */
  async next(): Promise<ScanMessage> {
    for (;;) {
      this.#signal?.throwIfAborted();
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#signal?.removeEventListener('abort', this.#abort);
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#wake?.();
  }
}
