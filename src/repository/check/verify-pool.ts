/** The verifying workers seen from the main thread. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import { spawnWorker } from '../workers/spawn.ts';
import type { VerifyReply, VerifyRequest } from '../workers/verify-messages.ts';

const MAX_WORKERS = 8;

interface Waiter {
  readonly resolve: (reply: VerifyReply) => void;
  readonly reject: (error: unknown) => void;
}

export class VerifyPool implements AsyncDisposable {
  readonly #workers: Worker[];
  readonly #waiters = new Map<number, Waiter>();
  #jobs = 0;
  #streams = 0;
  #broken: unknown;

  constructor(masterKey: MasterKey, workers = Math.min(MAX_WORKERS, availableParallelism())) {
    this.#workers = Array.from({ length: workers }, () => this.#start(masterKey));
  }

  /** A number for the parts of one pack. */
  newStream(): number {
    return this.#streams++;
  }

  /** Verifies the next part of a pack. Its buffer is given away (and back, when asked for). */
  verify(request: Omit<VerifyRequest, 'job'>): Promise<VerifyReply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const job = this.#jobs++;
    const bytes = owned(request.bytes);
    const worker = this.#workers[request.stream % this.#workers.length] as Worker;
    return new Promise((resolve, reject) => {
      this.#waiters.set(job, { resolve, reject });
      worker.postMessage({ ...request, bytes, job } satisfies VerifyRequest, [bytes.buffer]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Failure('interrupted', 'The verifying workers were stopped.'));
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(masterKey: MasterKey): Worker {
    const worker = spawnWorker('verify-worker', { masterKey });
    worker.on('message', (reply: VerifyReply) => {
      this.#waiters.get(reply.job)?.resolve(reply);
      this.#waiters.delete(reply.job);
    });
    worker.on('error', (error) => this.#fail(error));
    return worker;
  }

  #fail(error: unknown): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiters.values()) reject(this.#broken);
    this.#waiters.clear();
  }
}

/** The bytes in a buffer of their own, which can be handed to another thread. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}
