/**
 * Brings the content of files back: fetches stretches of packs from the nearest storage that has a good copy, has them opened, verified
 * and written by worker threads, and goes round whatever is missing or damaged: to the next storage, then to other packs with the blob.
 */
import { atOnce } from '../base/at-once.ts';
import { ByteBudget } from '../base/byte-budget.ts';
import { asFailure, Failure } from '../base/failure.ts';
import { howMany } from '../base/how-many.ts';
import type { IndexedRepository } from './indexed-repository.ts';
import { objectKey } from './keys.ts';
import { inMask, type ReadProblem, type Replica } from './replicas.ts';
import type { Ownership } from './restore-metadata.ts';
import { type Stretch, schedule } from './restore-schedule.ts';
import { type RestoreColumns, STATE } from './restore-table.ts';
import { BLOB_WORDS, type RowProblem, type UnsealDone } from './workers/unseal-messages.ts';
import { UnsealPool } from './workers/unseal-pool.ts';

export type { RowProblem } from './workers/unseal-messages.ts';

/** Requests under way at once, and the sealed bytes that may be in memory for them. */
const PARALLEL = 8;
const BUDGET = 48 * 1024 * 1024;
/** A storage that failed this often is asked last from then on. */
const MAX_STRIKES = 3;
/** Files inspected or created by one request to a worker. */
const BATCH = 512;
const INSPECT_BYTES = 64 * 1024 * 1024;

export interface RestoreEngineOptions {
  readonly columns: RestoreColumns;
  /** The target directory, as bytes. */
  readonly base: Uint8Array;
  readonly ownership: Ownership;
  /** The storages that may be read. */
  readonly mask: number;
  readonly workers?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onRowProblem?: (problem: RowProblem) => void;
  readonly onReadProblem?: (problem: ReadProblem) => void;
}

export interface RestoreProgress {
  /** Plain bytes written, and those found in place. */
  readonly bytes: number;
  readonly kept: number;
  readonly files: number;
}

export class RestoreEngine implements AsyncDisposable {
  /** Sealed bytes fetched, by storage. */
  readonly fetched = new Map<string, number>();
  readonly #repository: IndexedRepository;
  readonly #options: RestoreEngineOptions;
  readonly #pool: UnsealPool;
  readonly #strikes = new Map<string, number>();
  readonly #progress = { bytes: 0, kept: 0, files: 0 };

  constructor(repository: IndexedRepository, options: RestoreEngineOptions) {
    this.#repository = repository;
    this.#options = options;
    const { columns, base, ownership, workers } = options;
    const data = {
      masterKey: repository.repository.masterKey,
      blobIds: repository.index.freeze().blobs.keys,
      ...{ columns, base, ownership },
    };
    this.#pool = new UnsealPool(data, workers);
  }

  get progress(): RestoreProgress {
    return { ...this.#progress };
  }

  /** Looks at what stands in the target already; what is right is kept and not fetched again. */
  async inspect(rows: Uint32Array): Promise<void> {
    const { size } = this.#options.columns;
    await this.#inBatches(
      rows,
      (row) => size[row]!,
      async (batch, bytes) => {
        const done = await this.#pool.inspect(batch, bytes);
        this.#count({ ...done, bytes: 0 });
        this.#progress.kept += done.bytes;
      },
    );
  }

  /** Writes all files of `rows` that are not there yet. */
  async write(rows: Uint32Array): Promise<void> {
    const { columns, signal } = this.#options;
    const wanted = new Uint8Array(columns.rows);
    for (const row of rows) wanted[row] = 1;
    const empty = rows.filter((row) => columns.count[row] === 0 && columns.state[row] === STATE.fresh);
    await this.#inBatches(
      empty,
      () => 0,
      async (batch) => this.#count(await this.#pool.createEmpty(batch)),
    );
    const budget = new ByteBudget(BUDGET);
    const stretches = schedule(this.#repository.index, columns, (row) => wanted[row] === 1);
    const restore = (stretch: Stretch) => budget.use(stretch.length, () => this.#restoreStretch(stretch));
    await atOnce(PARALLEL, stretches, restore, signal);
    await this.#pool.closeFiles();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
  }

  async #inBatches(
    rows: Uint32Array,
    weight: (row: number) => number,
    work: (batch: Uint32Array, bytes: number) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#options;
    await atOnce(PARALLEL, batches(rows, weight), ({ batch, bytes }) => work(batch, bytes), signal);
  }

  async #restoreStretch(stretch: Stretch): Promise<void> {
    let left: Stretch | undefined = stretch;
    for (const replica of this.#candidates(stretch.pack)) {
      left = await this.#tryReplica(left, replica);
      if (left === undefined) return;
    }
    for (const single of splitStretch(left)) await this.#restoreFromElsewhere(single);
  }

  /** Returns what this storage could not give, or undefined when it gave all. */
  async #tryReplica(stretch: Stretch, replica: Replica): Promise<Stretch | undefined> {
    const { signal } = this.#options;
    const key = objectKey('data', this.#repository.index.packId(stretch.pack));
    let bytes: Uint8Array;
    try {
      const { offset, length } = stretch;
      bytes = await replica.store.get(key, { offset, length }, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      this.#report({ storage: replica.name, key, failure: asFailure(error, 'storage_unreachable') });
      return stretch;
    }
    this.fetched.set(replica.name, (this.fetched.get(replica.name) ?? 0) + bytes.length);
    const packId = stretch.isPack ? this.#repository.index.packIdBytes(stretch.pack) : undefined;
    const done = await this.#pool.write(bytes, stretch, packId);
    this.#count(done);
    if (done.damaged.length === 0) return undefined;
    const of = howMany(stretch.blobs.length / BLOB_WORDS, 'blobs of a pack');
    const what = `${done.damaged.length} of ${of} ${done.damaged.length === 1 ? 'is' : 'are'} damaged`;
    this.#report({ storage: replica.name, key, failure: new Failure('data_damaged', `${replica.name}: ${what}.`) });
    return subStretch(stretch, done.damaged);
  }

  /** One blob that its own pack cannot give: other packs may hold it too. */
  async #restoreFromElsewhere(stretch: Stretch): Promise<void> {
    const { index } = this.#repository;
    const blob = stretch.blobs[3]!;
    for (const { pack, offset, length, uncompressedLength } of index.locate('data', index.blobId(blob))) {
      if (pack === stretch.pack) continue;
      const blobs = Uint32Array.of(0, length, uncompressedLength, blob, 0, stretch.refs.length);
      for (const replica of this.#candidates(pack)) {
        const rest = await this.#tryReplica({ pack, offset, length, blobs, refs: stretch.refs }, replica);
        if (rest === undefined) return;
      }
    }
    this.#giveUp(stretch.refs);
  }

  #giveUp(refs: Uint32Array): void {
    const { columns, onRowProblem } = this.#options;
    for (const ref of refs) {
      const row = columns.refFile[ref]!;
      if (columns.state[row] === STATE.failed) continue;
      columns.state[row] = STATE.failed;
      onRowProblem?.({ row, message: 'no storage has a good copy of all its content', fatal: true });
    }
  }

  /** The storages to ask for a pack, nearest first; those that failed often come last. */
  #candidates(pack: number): Replica[] {
    const { repository, index } = this.#repository;
    const replicas = inMask(repository.replicas, index.packMask(pack) & this.#options.mask);
    const demoted = (replica: Replica) => ((this.#strikes.get(replica.name) ?? 0) >= MAX_STRIKES ? 1 : 0);
    return replicas.sort((a, b) => demoted(a) - demoted(b));
  }

  #report(problem: ReadProblem): void {
    this.#strikes.set(problem.storage, (this.#strikes.get(problem.storage) ?? 0) + 1);
    this.#options.onReadProblem?.(problem);
  }

  #count({ bytes, files, problems }: UnsealDone): void {
    this.#progress.bytes += bytes;
    this.#progress.files += files;
    for (const problem of problems) this.#options.onRowProblem?.(problem);
    this.#options.onProgress?.(this.#progress);
  }
}

function* batches(
  rows: Uint32Array,
  weight: (row: number) => number,
): Generator<{ readonly batch: Uint32Array; readonly bytes: number }> {
  let from = 0;
  let bytes = 0;
  for (let to = 0; to < rows.length; to++) {
    bytes += weight(rows[to]!);
    if (to + 1 - from < BATCH && bytes < INSPECT_BYTES && to + 1 < rows.length) continue;
    yield { batch: rows.slice(from, to + 1), bytes };
    from = to + 1;
    bytes = 0;
  }
}

/** The stretch that holds only the blobs at `positions`. */
function subStretch({ pack, offset, blobs, refs }: Stretch, positions: readonly number[]): Stretch {
  const words = (position: number) => blobs.subarray(position * BLOB_WORDS, (position + 1) * BLOB_WORDS);
  const shift = words(positions[0]!)[0]!;
  const last = words(positions.at(-1)!);
  const kept = new Uint32Array(positions.length * BLOB_WORDS);
  for (const [i, position] of positions.entries()) {
    kept.set(words(position), i * BLOB_WORDS);
    kept[i * BLOB_WORDS]! -= shift;
  }
  return { pack, offset: offset + shift, length: last[0]! + last[1]! - shift, blobs: kept, refs };
}

function splitStretch(stretch: Stretch | undefined): Stretch[] {
  if (stretch === undefined) return [];
  return Array.from({ length: stretch.blobs.length / BLOB_WORDS }, (_, position) => {
    const single = subStretch(stretch, [position]);
    const [, , , , from, to] = single.blobs;
    const blobs = single.blobs.slice();
    blobs[4] = 0;
    blobs[5] = to! - from!;
    return { ...single, blobs, refs: stretch.refs.slice(from, to) };
  });
}
