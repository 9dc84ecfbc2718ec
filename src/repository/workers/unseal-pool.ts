/** The unsealing workers seen from the main thread: requests go to the least busy one, answers come back as promises. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import { spawnWorker } from './spawn.ts';
import type { UnsealDone, UnsealReply, UnsealRequest, UnsealWorkerData } from './unseal-messages.ts';

interface Member {
  readonly worker: Worker;
  /** Cost of the work handed over and not answered. */
  load: number;
}

interface Waiter {
  readonly member: Member;
  readonly cost: number;
  readonly resolve: (reply: UnsealDone) => void;
  readonly reject: (error: unknown) => void;
}

/** Which blobs of some bytes go where: `BLOB_WORDS` words for each, and the references they point to. */
export interface WantedBlobs {
  readonly blobs: Uint32Array;
  readonly refs: Uint32Array;
}

/** What creating one file costs, in bytes of content that take as long. */
const FILE_COST = 16 * 1024;

type NewRequest = UnsealRequest extends infer R ? (R extends UnsealRequest ? Omit<R, 'job'> : never) : never;

export class UnsealPool implements AsyncDisposable {
  readonly #members: readonly Member[];
  readonly #waiters = new Map<number, Waiter>();
  #nextJob = 1;
  #broken: unknown;

  constructor(data: UnsealWorkerData, workers: number = availableParallelism()) {
    this.#members = Array.from({ length: workers }, () => this.#start(data));
  }

  /** Opens, verifies and writes blobs. `bytes` is given away; `packId` says that they are a whole pack. */
  write(bytes: Uint8Array, { blobs, refs }: WantedBlobs, packId?: Uint8Array): Promise<UnsealDone> {
    const whole = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer;
    const transfer = whole ? [bytes.buffer as ArrayBuffer] : [];
    const request = { kind: 'write', bytes, blobs, refs, ...(packId ? { packId } : {}) } as const;
    return this.#ask(request, bytes.length + refs.length * FILE_COST, transfer);
  }

  createEmpty(rows: Uint32Array): Promise<UnsealDone> {
    return this.#ask({ kind: 'empty', rows }, rows.length * FILE_COST);
  }

  /** `bytes` is how much there may be to read. */
  inspect(rows: Uint32Array, bytes: number): Promise<UnsealDone> {
    return this.#ask({ kind: 'inspect', rows }, bytes + rows.length * FILE_COST);
  }

  /** Closes the files that workers still have open. */
  async closeFiles(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#ask({ kind: 'close' }, 0, [], member)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Failure('interrupted', 'The restore was stopped.'));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #ask(request: NewRequest, cost: number, transfer: ArrayBuffer[] = [], chosen?: Member): Promise<UnsealDone> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const member = chosen ?? this.#members.reduce((best, other) => (other.load < best.load ? other : best));
    const job = this.#nextJob++;
    return new Promise((resolve, reject) => {
      this.#waiters.set(job, { member, cost, resolve, reject });
      member.load += cost;
      member.worker.postMessage({ ...request, job }, transfer);
    });
  }

  #start(data: UnsealWorkerData): Member {
    const worker = spawnWorker('unseal-worker', data);
    const member: Member = { worker, load: 0 };
    worker.on('message', (reply: UnsealReply) => this.#receive(reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Failure('internal', 'An unsealing worker ended early.')));
    return member;
  }

  #receive(reply: UnsealReply): void {
    const waiter = this.#waiters.get(reply.job);
    if (waiter === undefined) return;
    this.#waiters.delete(reply.job);
    waiter.member.load -= waiter.cost;
    if (reply.kind === 'done') waiter.resolve(reply);
    else waiter.reject(new Failure(reply.code, reply.message, reply.hint === undefined ? {} : { hint: reply.hint }));
  }

  #fail(error: unknown): void {
    this.#broken ??= error;
    for (const waiter of this.#waiters.values()) waiter.reject(this.#broken);
    this.#waiters.clear();
  }
}
