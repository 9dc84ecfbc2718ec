/** Has the files of a source read, cut and stored by the workers: small ones in batches, large ones in stretches side by side. */
import type { PieceResult, SealPool } from '../../repository/workers-api.ts';
import type { Entry } from '../../sources/entry.ts';
import { decideStable } from '../../sources/files-source.ts';
import { WORK_AHEAD } from './context.ts';

/** A stretch of a large file; cut points are forced at its multiples, which costs at most one chunk of deduplication each. */
const STRETCH = 64 * 1024 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
const BATCH_FILES = 128;
/** What a file counts as beside its bytes: some thousands of small ones are enough to keep the workers busy, and each takes memory here. */
const PER_FILE = 16 * 1024;

export type PathFile = Extract<Entry, { type: 'file' }> & {
  readonly body: { readonly kind: 'path'; readonly path: Buffer };
};

export interface StoredFile {
  readonly content: Uint8Array;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Every reading met a change: what is kept may mix two states. */
  readonly torn: boolean;
}

export type FileOutcome =
  | { readonly ok: true; readonly file: StoredFile }
  | { readonly ok: false; readonly errno: string; readonly message: string };

interface Pending {
  readonly entry: PathFile;
  readonly done: (outcome: FileOutcome) => void;
}

export class FileReader {
  readonly #pool: SealPool;
  #batch: Pending[] = [];
  #batchBytes = 0;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(pool: SealPool) {
    this.#pool = pool;
  }

  /** Takes a file; `done` is called once it is stored or given up. Waits while too much is under way. */
  async take(entry: PathFile, done: (outcome: FileOutcome) => void): Promise<void> {
    if (entry.size > STRETCH) {
      this.#run(this.#readLarge(entry, 1, done));
      await this.#pool.below(WORK_AHEAD);
      return;
    }
    this.#batch.push({ entry, done });
    this.#batchBytes += entry.size;
    if (this.#batchBytes < BATCH_BYTES && this.#batch.length < BATCH_FILES) return;
    this.#sendBatch();
    await this.#pool.below(WORK_AHEAD);
    this.#rethrow();
  }

  /** Resolves when every file taken has been answered. */
  async finish(): Promise<void> {
    this.#sendBatch();
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#rethrow();
  }

  #sendBatch(): void {
    if (this.#batch.length === 0) return;
    const [batch, bytes] = [this.#batch, this.#batchBytes];
    this.#batch = [];
    this.#batchBytes = 0;
    this.#run(this.#readBatch(batch, bytes));
  }

  async #readBatch(batch: readonly Pending[], bytes: number): Promise<void> {
    const pieces = batch.map(({ entry }) => ({ path: entry.body.path, offset: 0, length: Number.POSITIVE_INFINITY }));
    const results = await this.#pool.storePieces(pieces, bytes + batch.length * PER_FILE);
    results.forEach((result, i) => {
      const { entry, done } = batch[i] as Pending;
      this.#settle(entry, [result], 1, done);
    });
  }

  async #readLarge(entry: PathFile, attempt: number, done: Pending['done']): Promise<void> {
    const results: Promise<readonly PieceResult[]>[] = [];
    for (let offset = 0; offset < Math.max(1, entry.size); offset += STRETCH) {
      const isLast = offset + STRETCH >= entry.size;
      const piece = { path: entry.body.path, offset, length: isLast ? Number.POSITIVE_INFINITY : STRETCH };
      const result = this.#pool.storePieces([piece], Math.min(STRETCH, entry.size - offset));
      result.catch(() => {}); // awaited below, unless another stretch fails before
      results.push(result);
      await this.#pool.below(WORK_AHEAD * 2);
    }
    this.#settle(entry, (await Promise.all(results)).flat(), attempt, done);
  }

  #settle(entry: PathFile, results: readonly PieceResult[], attempt: number, done: Pending['done']): void {
    const failed = results.find((result) => !result.ok);
    if (failed !== undefined) {
      done(failed);
      return;
    }
    const read = results.filter((result) => result.ok);
    const first = read[0] as (typeof read)[0];
    const last = read.at(-1) as (typeof read)[0];
    const verdict = decideStable(first.before, last.after, attempt);
    if (verdict === 'again') {
      this.#run(this.#readLarge(entry, attempt + 1, done));
      return;
    }
    const { mtimeNs, ctimeNs } = last.after;
    const size = read.reduce((sum, { bytes }) => sum + bytes, 0);
    const content = read.length === 1 ? first.content : Buffer.concat(read.map((piece) => piece.content));
    done({ ok: true, file: { content, size, mtimeNs, ctimeNs, torn: verdict === 'changed' } });
  }

  #run(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  #rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
