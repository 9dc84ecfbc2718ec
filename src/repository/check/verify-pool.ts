/** The verifying workers seen from the main thread. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import type { MasterKey } from '../crypto/envelope.ts';
import { spawnWorker } from '../workers/spawn.ts';
import type { VerifyReply, VerifyRequest } from '../workers/verify-messages.ts';

const MAX_WORKERS = 8;
/** Another worker is started once each has this much waiting: small repositories never pay for a second one. */
const BUSY = 8 * 1024 * 1024;

interface Member {
  readonly worker: Worker;
  /** Bytes handed over and not answered. */
  load: number;
}

interface Waiter {
  readonly member: Member;
  readonly bytes: number;
  readonly resolve: (reply: VerifyReply) => void;
  readonly reject: (error: unknown) => void;
}

/** The parts of one pack, in order: they all go to the same worker. */
export interface VerifyStream {
  readonly number: number;
  readonly member: Member;
}

type Part = Omit<VerifyRequest, 'job' | 'stream'>;

export class VerifyPool implements AsyncDisposable {
  readonly #masterKey: MasterKey;
  readonly #limit: number;
  readonly #members: Member[] = [];
  readonly #waiters = new Map<number, Waiter>();
  #jobs = 0;
  #streams = 0;
  #broken: unknown;

  constructor(masterKey: MasterKey, workers = Math.min(MAX_WORKERS, availableParallelism())) {
    this.#masterKey = masterKey;
    this.#limit = workers;
  }

  newStream(): VerifyStream {
    if (this.#broken !== undefined) throw this.#broken;
    return { number: this.#streams++, member: this.#leastBusy() };
  }

  /** Verifies the next part of a pack. Its buffer is given away (and back, when asked for). */
  verify({ number, member }: VerifyStream, part: Part): Promise<VerifyReply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const job = this.#jobs++;
    const bytes = owned(part.bytes);
    return new Promise((resolve, reject) => {
      this.#waiters.set(job, { member, bytes: bytes.length, resolve, reject });
      member.load += bytes.length;
      member.worker.postMessage({ ...part, stream: number, bytes, job } satisfies VerifyRequest, [bytes.buffer]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new Failure('interrupted', 'The verifying workers were stopped.'));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  #leastBusy(): Member {
    const [first, ...others] = this.#members;
    if (first === undefined) return this.#start();
    const least = others.reduce((best, member) => (member.load < best.load ? member : best), first);
    return least.load > BUSY && this.#members.length < this.#limit ? this.#start() : least;
  }

  #start(): Member {
    const member = { worker: spawnWorker('verify-worker', { masterKey: this.#masterKey }), load: 0 };
    member.worker.on('message', (reply: VerifyReply) => this.#receive(reply));
    member.worker.on('error', (error) => this.#fail(error));
    this.#members.push(member);
    return member;
  }

  #receive(reply: VerifyReply): void {
    const waiter = this.#waiters.get(reply.job);
    if (waiter === undefined) return;
    this.#waiters.delete(reply.job);
    waiter.member.load -= waiter.bytes;
    waiter.resolve(reply);
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
