/** The sealing workers seen from the main thread: requests go to the least busy one, answers come back as promises. */
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { Failure } from '../../base/failure.ts';
import type {
  FilePiece,
  PieceResult,
  SealedPackMessage,
  SealReply,
  SealRequest,
  SealStats,
  SealWorkerData,
} from './messages.ts';
import { spawnWorker } from './spawn.ts';

/** How many finished packs may be on their way to the storages at once, beside those still growing. */
const PACKS_IN_FLIGHT = 4;

export interface SealPoolSettings extends Omit<SealWorkerData, 'credits'> {
  readonly workers?: number;
  /** Called for each finished pack; when the promise settles, the pack's memory is free again. */
  readonly onPack: (pack: SealedPackMessage) => Promise<void>;
}

interface Member {
  readonly worker: Worker;
  /** Bytes of work handed over and not answered. */
  load: number;
  stats: SealStats;
}

interface Waiter {
  readonly member: Member;
  readonly cost: number;
  readonly resolve: (reply: SealReply) => void;
  readonly reject: (error: unknown) => void;
}

type NewRequest = SealRequest extends infer R ? (R extends SealRequest ? Omit<R, 'job'> : never) : never;

export class SealPool {
  readonly #members: Member[];
  readonly #credits: Int32Array;
  readonly #onPack: SealPoolSettings['onPack'];
  readonly #waiters = new Map<number, Waiter>();
  #relief: (() => void)[] = [];
  #nextJob = 1;
  #broken: Error | undefined;

  constructor(settings: SealPoolSettings) {
    const { workers = availableParallelism(), onPack, ...rest } = settings;
    const credits = new SharedArrayBuffer(4);
    this.#credits = new Int32Array(credits);
    this.#credits[0] = PACKS_IN_FLIGHT;
    this.#onPack = onPack;
    const data: SealWorkerData = { ...rest, credits };
    this.#members = Array.from({ length: workers }, () => this.#start(data));
  }

  get size(): number {
    return this.#members.length;
  }

  /** Bytes handed over and not yet answered, over all workers. */
  get load(): number {
    return this.#members.reduce((sum, member) => sum + member.load, 0);
  }

  get stats(): SealStats {
    const total: SealStats = { newBlobs: 0, newBytes: 0, storedBytes: 0 };
    for (const { stats } of this.#members) {
      total.newBlobs += stats.newBlobs;
      total.newBytes += stats.newBytes;
      total.storedBytes += stats.storedBytes;
    }
    return total;
  }

  /** Resolves once less than `bytes` of work is waiting: what a producer awaits so that memory stays bounded. */
  async below(bytes: number): Promise<void> {
    while (this.load >= bytes && this.#broken === undefined)
      await new Promise<void>((resolve) => this.#relief.push(resolve));
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Reads and stores stretches of files; `bytes` is the expected amount, for sharing out the work. */
  async storePieces(pieces: readonly FilePiece[], bytes: number): Promise<readonly PieceResult[]> {
    const reply = await this.#ask({ kind: 'pieces', pieces }, bytes + pieces.length * 4096);
    return reply.kind === 'pieces' ? reply.results : unexpected();
  }

  /**
   * Stores blobs as they are and returns their ids, one after the other; four of like length at once are hashed fastest. The buffers are
   * given away. Trees go to one worker, so that they share packs.
   */
  async storeBlobs(isTree: boolean, blobs: readonly Uint8Array[]): Promise<Uint8Array> {
    return this.#content({ kind: 'blobs', isTree, blobs }, blobs, isTree ? this.#members[0] : undefined);
  }

  /** Cuts and stores content in memory; returns the concatenated ids. The buffer is given away. */
  async storeContent(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#content({ kind: 'content', bytes }, [bytes]);
  }

  /** Adds a part to a large tree blob, told apart by `stream`; the answer to the last part is the blob's id. */
  async storeTreePart(stream: number, bytes: Uint8Array, last: boolean): Promise<Uint8Array> {
    return this.#content({ kind: 'part', stream, bytes, last }, [bytes], this.#members[stream % this.#members.length]);
  }

  /** Closes all open packs; they have been handed to `onPack` when this resolves. */
  async flush(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#ask({ kind: 'flush' }, 0, [], member)));
  }

  async close(): Promise<void> {
    this.#fail(new Failure('interrupted', 'The sealing workers were stopped.'));
    await Promise.all(this.#members.map(({ worker }) => worker.terminate()));
  }

  async #content(request: NewRequest, buffers: readonly Uint8Array[], member?: Member): Promise<Uint8Array> {
    const cost = buffers.reduce((sum, { length }) => sum + length, 0);
    const reply = await this.#ask(request, cost, buffers.flatMap(transferable), member);
    return reply.kind === 'content' ? reply.content : unexpected();
  }

  #ask(request: NewRequest, cost: number, transfer: ArrayBuffer[] = [], chosen?: Member): Promise<SealReply> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const member = chosen ?? this.#members.reduce((best, other) => (other.load < best.load ? other : best));
    const job = this.#nextJob++;
    return new Promise((resolve, reject) => {
      this.#waiters.set(job, { member, cost, resolve, reject });
      member.load += cost;
      member.worker.postMessage({ ...request, job }, transfer);
    });
  }

  #start(data: SealWorkerData): Member {
    const worker = spawnWorker('seal-worker', data);
    const member: Member = { worker, load: 0, stats: { newBlobs: 0, newBytes: 0, storedBytes: 0 } };
    worker.on('message', (reply: SealReply) => this.#receive(member, reply));
    worker.on('error', (error) => this.#fail(error));
    worker.on('exit', () => this.#fail(new Failure('internal', 'A sealing worker ended early.')));
    return member;
  }

  #receive(member: Member, reply: SealReply): void {
    if (reply.kind === 'pack') {
      this.#onPack(reply).then(
        () => this.#giveCredit(),
        (error: unknown) => this.#fail(error),
      );
      return;
    }
    const waiter = this.#waiters.get(reply.job);
    if (waiter === undefined) return;
    this.#waiters.delete(reply.job);
    member.load -= waiter.cost;
    this.#wake();
    if (reply.kind === 'failed') {
      waiter.reject(new Failure(reply.code, reply.message));
      return;
    }
    member.stats = reply.stats;
    waiter.resolve(reply);
  }

  #giveCredit(): void {
    Atomics.add(this.#credits, 0, 1);
    Atomics.notify(this.#credits, 0);
  }

  #wake(): void {
    const waiting = this.#relief;
    this.#relief = [];
    for (const resolve of waiting) resolve();
  }

  #fail(error: unknown): void {
    this.#broken ??= error instanceof Error ? error : new Error(String(error));
    for (const waiter of this.#waiters.values()) waiter.reject(this.#broken);
    this.#waiters.clear();
    this.#wake();
  }
}

function transferable(bytes: Uint8Array): ArrayBuffer[] {
  const owned = bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
  return owned && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}

function unexpected(): never {
  throw new Failure('internal', 'A sealing worker answered something else than it was asked.');
}
