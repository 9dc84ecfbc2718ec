/** The sealing workers seen from the main thread: what is asked of them, and the packs that they hand over. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import type {
  FilePiece,
  PieceResult,
  SealedPackMessage,
  SealReply,
  SealRequest,
  SealStats,
  SealWorkerData,
} from './messages.ts';
import { freeSlot, newPackFlags } from './pack-memory.ts';
import { spawnThread } from './spawn.ts';
import { type Handing, type Member, type NewRequest, ownMemory, WorkerPool } from './worker-pool.ts';

/** How many finished packs may wait until the queues of the storages have room, beside those still growing. */
const PACKS_IN_FLIGHT = 2;

/** Bytes that wait for each thread before another one is started: a small backup does not pay for threads that it does not need. */
const BUSY = 2 * 1024 * 1024;

type Answer = Exclude<SealReply, SealedPackMessage>;
type Done = Exclude<Answer, { kind: 'failed' }>;

export interface SealPoolSettings extends Omit<SealWorkerData, 'credits' | 'packFlags'> {
  readonly workers?: number;
  /** Called for each finished pack; when the promise settles, another one may come. `free` says that nobody needs its bytes any more. */
  readonly onPack: (pack: SealedPackMessage, free: () => void) => Promise<void>;
}

export class SealPool {
  readonly #pool: WorkerPool<SealRequest, Answer>;
  readonly #credits: Int32Array;
  readonly #onPack: SealPoolSettings['onPack'];
  /** What each worker has done so far, by its thread. */
  readonly #stats = new Map<number, SealStats>();
  /** Who has the parts so far of each large tree blob, by its stream. */
  readonly #streams = new Map<number, Member>();

  constructor(settings: SealPoolSettings) {
    const { workers = availableParallelism(), onPack, ...rest } = settings;
    const credits = new SharedArrayBuffer(4);
    this.#credits = new Int32Array(credits);
    this.#credits[0] = PACKS_IN_FLIGHT;
    this.#onPack = onPack;
    const data = { ...rest, credits };
    this.#pool = new WorkerPool({ start: () => this.#start(data), limit: workers, busy: BUSY, doing: 'sealing' });
    this.#pool.pick(); // gets ready while the caller looks for something to store
  }

  /** Bytes handed over and not yet answered, over all workers. */
  get load(): number {
    return this.#pool.load;
  }

  get stats(): SealStats {
    const total: SealStats = { newBlobs: 0, newBytes: 0, storedBytes: 0 };
    for (const { newBlobs, newBytes, storedBytes } of this.#stats.values()) {
      total.newBlobs += newBlobs;
      total.newBytes += newBytes;
      total.storedBytes += storedBytes;
    }
    return total;
  }

  /** Resolves once less than `bytes` of work is waiting: what a producer awaits so that memory stays bounded. */
  below(bytes: number): Promise<void> {
    return this.#pool.below(bytes);
  }

  /** Reads and stores stretches of files; `bytes` is the expected amount, for sharing out the work. */
  async storePieces(pieces: readonly FilePiece[], bytes: number): Promise<readonly PieceResult[]> {
    const reply = await this.#ask({ kind: 'pieces', pieces }, { cost: bytes + pieces.length * 4096 });
    return reply.kind === 'pieces' ? reply.results : unexpected();
  }

  /**
   * Stores blobs as they are and returns their ids, one after the other; four of like length at once are hashed fastest. The buffers are
   * given away. Trees go to one worker, so that they share packs.
   */
  async storeBlobs(isTree: boolean, blobs: readonly Uint8Array[]): Promise<Uint8Array> {
    return this.#content({ kind: 'blobs', isTree, blobs }, blobs, isTree ? this.#pool.members[0] : undefined);
  }

  /** Cuts and stores content in memory; returns the concatenated ids. The buffer is given away. */
  async storeContent(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#content({ kind: 'content', bytes }, [bytes]);
  }

  /** Adds a part to a large tree blob, told apart by `stream`; the answer to the last part is the blob's id. */
  async storeTreePart(stream: number, bytes: Uint8Array, last: boolean): Promise<Uint8Array> {
    const member = this.#streams.get(stream) ?? this.#pool.pick();
    if (last) this.#streams.delete(stream);
    else this.#streams.set(stream, member);
    return this.#content({ kind: 'part', stream, bytes, last }, [bytes], member);
  }

  /** Closes all open packs; they have been handed to `onPack` when this resolves. Returns what the workers learned: see blob-namer.ts. */
  async flush(): Promise<Uint8Array> {
    const flushed = this.#pool.members.map((member) => this.#ask({ kind: 'flush' }, { cost: 0, member }));
    const replies = await Promise.all(flushed);
    return Buffer.concat(replies.map((reply) => (reply.kind === 'flushed' ? reply.learned : unexpected())));
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  /** `member`: the one that must do it. */
  async #content(
    request: NewRequest<SealRequest>,
    buffers: readonly Uint8Array[],
    member?: Member,
  ): Promise<Uint8Array> {
    const cost = buffers.reduce((sum, { length }) => sum + length, 0);
    const handing = { cost, transfer: buffers.flatMap(ownMemory), ...(member ? { member } : {}) };
    const reply = await this.#ask(request, handing);
    return reply.kind === 'content' ? reply.content : unexpected();
  }

  async #ask(request: NewRequest<SealRequest>, handing: Handing): Promise<Done> {
    const member = handing.member ?? this.#pool.pick();
    const reply = await this.#pool.ask(request, { ...handing, member });
    if (reply.kind === 'failed') throw new Failure(reply.code, reply.message, given('hint', reply.hint));
    this.#stats.set(member.worker.threadId, reply.stats);
    return reply;
  }

  #start(shared: Omit<SealWorkerData, 'packFlags'>): Worker {
    const data: SealWorkerData = { ...shared, packFlags: newPackFlags() };
    const flags = new Int32Array(data.packFlags);
    const worker = spawnThread('seal-worker', data);
    worker.on('message', (message: SealReply) => {
      if (message.kind !== 'pack') return;
      this.#onPack(message, () => freeMemory(message, flags)).then(
        () => this.#giveCredit(),
        (error: unknown) => this.#pool.fail(error),
      );
    });
    return worker;
  }

  #giveCredit(): void {
    Atomics.add(this.#credits, 0, 1);
    Atomics.notify(this.#credits, 0);
  }
}

/** Without this, memory of packs long stored would wait for a garbage collection that has no reason to hurry. */
function freeMemory({ slot, bytes }: SealedPackMessage, flags: Int32Array): void {
  if (slot === undefined) (bytes.buffer as ArrayBuffer).transfer(0);
  else freeSlot(flags, slot);
}

function unexpected(): never {
  throw new Failure('internal', 'A sealing worker answered something else than it was asked.');
}
