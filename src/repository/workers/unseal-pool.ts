/** The unsealing workers of a restore seen from the main thread. */
import { availableParallelism } from 'node:os';
import { Failure } from '../../base/failure.ts';
import { spawnThread } from './spawn.ts';
import type { UnsealDone, UnsealReply, UnsealRequest, UnsealWorkerData } from './unseal-messages.ts';
import { type Handing, type NewRequest, ownMemory, WorkerPool } from './worker-pool.ts';

/** Which blobs of some bytes go where: `BLOB_WORDS` words for each, and the references they point to. */
export interface WantedBlobs {
  readonly blobs: Uint32Array;
  readonly refs: Uint32Array;
}

/** What creating one file costs, in bytes of content that take as long. */
const FILE_COST = 16 * 1024;

/** Another worker is started once each has this much waiting: a small restore does not pay for a second one. */
const BUSY = 2 * 1024 * 1024;

export class UnsealPool implements AsyncDisposable {
  readonly #pool: WorkerPool<UnsealRequest, UnsealReply>;

  constructor(data: UnsealWorkerData, workers: number = availableParallelism()) {
    const start = () => spawnThread('unseal-worker', data);
    this.#pool = new WorkerPool({ start, limit: workers, busy: BUSY, doing: 'unsealing' });
  }

  /** Opens, verifies and writes blobs. `bytes` is given away; `packId` says that they are a whole pack. */
  write(bytes: Uint8Array, { blobs, refs }: WantedBlobs, packId?: Uint8Array): Promise<UnsealDone> {
    const request = { kind: 'write', bytes, blobs, refs, ...(packId ? { packId } : {}) } as const;
    return this.#ask(request, { cost: bytes.length + refs.length * FILE_COST, transfer: ownMemory(bytes) });
  }

  createEmpty(rows: Uint32Array): Promise<UnsealDone> {
    return this.#ask({ kind: 'empty', rows }, { cost: rows.length * FILE_COST });
  }

  /** `bytes` is how much there may be to read. */
  inspect(rows: Uint32Array, bytes: number): Promise<UnsealDone> {
    return this.#ask({ kind: 'inspect', rows }, { cost: bytes + rows.length * FILE_COST });
  }

  /** Closes the files that workers still have open. */
  async closeFiles(): Promise<void> {
    await Promise.all(this.#pool.members.map((member) => this.#ask({ kind: 'close' }, { cost: 0, member })));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }

  async #ask(request: NewRequest<UnsealRequest>, handing: Handing): Promise<UnsealDone> {
    const reply = await this.#pool.ask(request, handing);
    if (reply.kind === 'done') return reply;
    const { code, message, hint } = reply;
    throw new Failure(code, message, hint === undefined ? {} : { hint });
  }
}
