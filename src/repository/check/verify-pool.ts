/** The verifying workers seen from the main thread. */
import { availableParallelism } from 'node:os';
import type { MasterKey } from '../crypto/envelope.ts';
import { spawnThread } from '../workers/spawn.ts';
import type { VerifyReply, VerifyRequest } from '../workers/verify-messages.ts';
import { type Member, WorkerPool } from '../workers/worker-pool.ts';

const MAX_WORKERS = 8;
/** Another worker is started once each has this much waiting: small repositories never pay for a second one. */
const BUSY = 8 * 1024 * 1024;

/** The parts of one pack, in order: they all go to the same worker. */
export interface VerifyStream {
  readonly number: number;
  readonly member: Member;
}

type Part = Omit<VerifyRequest, 'job' | 'stream'>;

export class VerifyPool implements AsyncDisposable {
  readonly #pool: WorkerPool<VerifyRequest, VerifyReply>;
  #streams = 0;

  constructor(masterKey: MasterKey, workers = Math.min(MAX_WORKERS, availableParallelism())) {
    const start = () => spawnThread('verify-worker', { masterKey });
    this.#pool = new WorkerPool({ start, limit: workers, busy: BUSY, doing: 'verifying' });
  }

  newStream(): VerifyStream {
    return { number: this.#streams++, member: this.#pool.pick() };
  }

  /** Verifies the next part of a pack. Its buffer is given away (and back, when asked for). */
  verify({ number, member }: VerifyStream, part: Part): Promise<VerifyReply> {
    const bytes = owned(part.bytes);
    const handing = { cost: bytes.length, transfer: [bytes.buffer], member };
    return this.#pool.ask({ ...part, stream: number, bytes }, handing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}

/** The bytes in a buffer of their own, which can be handed to another thread. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return whole && bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : Uint8Array.from(bytes);
}
