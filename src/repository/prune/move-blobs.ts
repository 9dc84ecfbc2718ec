/**
 * Moves chosen blobs into new packs, the same ones on each of several storages: read in merged ranges from wherever a copy is, verified on worker threads, taken over
 * sealed as they are. A blob whose copy turns out bad is read from any other copy.
 */

import { constants, zstdCompressSync } from 'node:zlib';
import { atOnce } from '../../base/at-once.ts';
import type { ByteBudget } from '../../base/byte-budget.ts';
import { asFailure, type Failure, isFailure } from '../../base/failure.ts';
import { type Id, idFromBytes } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { blobTable } from '../check/pack-reader.ts';
import type { PackTable } from '../check/pack-table.ts';
import type { VerifyPool } from '../check/verify-pool.ts';
import type { PackEntry } from '../format/index-file.ts';
import type { IndexedRepository } from '../indexed-repository.ts';
import { objectKey } from '../keys.ts';
import { type Replica, readFromAny } from '../replicas.ts';
import { type BlobPlace, PackAssembler } from './pack-assembler.ts';

/** Blobs closer than this are read in one request. */
const MAX_GAP = 256 * 1024;
const MAX_RUN = 32 * 1024 * 1024;
const PARALLEL = 4;

export interface BlobMove {
  readonly indexed: IndexedRepository;
  readonly table: PackTable;
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  /** Where the new packs go: the same bytes to each. One that fails is left out; all of them failing fails the move. */
  readonly targets: readonly Replica[];
  /** The storages to read a pack from, nearest first. */
  readonly sources: (pack: number) => readonly Replica[];
  /** Bytes after which a new pack is closed. */
  readonly packSize: number;
  readonly options: CallOptions;
  readonly onBytes: (bytes: number) => void;
}

export interface MovedBlobs {
  /** The new packs, all durable on every target that did not fail. */
  readonly packs: readonly PackEntry[];
  /** By storage name. */
  readonly failures: ReadonlyMap<string, Failure>;
  /** Rows of blobs of which no copy is good. */
  readonly lost: readonly number[];
}

/** `rows` name the copies to move; order does not matter. */
export async function moveBlobs(move: BlobMove, rows: Iterable<number>): Promise<MovedBlobs> {
  return new Mover(move).run(rows);
}

interface Run {
  readonly pack: number;
  readonly offset: number;
  readonly end: number;
  readonly rows: Uint32Array;
}

class Mover {
  readonly #move: BlobMove;
  readonly #data: PackAssembler;
  readonly #trees: PackAssembler;
  readonly #packs: PackEntry[] = [];
  readonly #lost: number[] = [];
  readonly #failures = new Map<string, Failure>();
  #storing: Promise<void> = Promise.resolve();

  constructor(move: BlobMove) {
    const { masterKey } = move.indexed.repository;
    this.#move = move;
    this.#data = new PackAssembler(masterKey, move.packSize);
    this.#trees = new PackAssembler(masterKey, move.packSize);
  }

  async run(rows: Iterable<number>): Promise<MovedBlobs> {
    await atOnce(PARALLEL, this.#runs(rows), (run) =>
      this.#move.budget.use(run.end - run.offset, () => this.#moveRun(run)),
    );
    for (const assembler of [this.#data, this.#trees]) if (!assembler.isEmpty) await this.#store(assembler);
    return { packs: this.#packs, lost: this.#lost, failures: this.#failures };
  }

  async #moveRun(run: Run): Promise<void> {
    const { table } = this.#move;
    const { bytes, bad } = await this.#read(run);
    for (const [i, row] of run.rows.entries()) {
      const { type, offset, length, uncompressedLength } = table.index.at(row);
      const blob: BlobPlace = { type, id: idFromBytes(table.index.blobId(row)), uncompressedLength };
      if (bytes === undefined || bad.has(i)) await this.#rescue(row, blob);
      else await this.#append(blob, bytes.slice(offset - run.offset, offset - run.offset + length));
    }
    this.#move.onBytes(run.end - run.offset);
  }

  /** The bytes of the run from the first storage that gives them, and the numbers of the blobs that are wrong in them. */
  async #read(run: Run): Promise<{ bytes: Uint8Array | undefined; bad: ReadonlySet<number> }> {
    const { table, pool, sources, options } = this.#move;
    try {
      return await readFromAny(
        sources(run.pack),
        objectKey('data', table.index.packId(run.pack)),
        { offset: run.offset, length: run.end - run.offset },
        async (read) => {
          const blobs = blobTable(table, run.rows, run.offset);
          const reply = await pool.verify(pool.newStream(), { bytes: read, blobs, end: {}, giveBack: true });
          return { bytes: reply.bytes, bad: new Set(reply.badBlobs) };
        },
        undefined,
        options,
      );
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
      return { bytes: undefined, bad: new Set() };
    }
  }

  /** Reads the blob from any copy in any storage and seals it anew. */
  async #rescue(row: number, { type, id }: BlobPlace): Promise<void> {
    const { indexed, options } = this.#move;
    try {
      await this.#appendPlain({ type, id }, await indexed.readBlob(type, id));
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
      this.#lost.push(row);
    }
  }

  async #append(blob: BlobPlace, sealed: Uint8Array): Promise<void> {
    const { sealer } = this.#move.indexed.repository;
    // Trees are always compressed: restic's prune repacks every tree pack that holds a raw one.
    if (blob.type === 'tree' && blob.uncompressedLength === 0) return this.#appendPlain(blob, sealer.open(sealed));
    return this.#take(blob, sealed);
  }

  async #appendPlain(
    { type, id }: { readonly type: BlobPlace['type']; readonly id: Id },
    plain: Buffer,
  ): Promise<void> {
    const { sealer } = this.#move.indexed.repository;
    const compressed =
      plain.length > 0 ? zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } }) : plain;
    const worthwhile = plain.length > 0 && (type === 'tree' || compressed.length < plain.length);
    const uncompressedLength = worthwhile ? plain.length : 0;
    await this.#take({ type, id, uncompressedLength }, sealer.seal(worthwhile ? compressed : plain));
  }

  async #take(blob: BlobPlace, sealed: Uint8Array): Promise<void> {
    const assembler = blob.type === 'tree' ? this.#trees : this.#data;
    assembler.add(blob, sealed);
    if (assembler.isFull) await this.#store(assembler);
  }

  /** One pack after the other, so that memory stays bounded by the packs being filled. */
  async #store(assembler: PackAssembler): Promise<void> {
    const { id, blobs, parts } = assembler.finish();
    this.#storing = this.#storing.then(() => this.#put(objectKey('data', id), parts));
    await this.#storing;
    this.#packs.push({ id, blobs });
  }

  async #put(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const { targets, options } = this.#move;
    await Promise.all(
      targets.map(async ({ name, store }) => {
        if (this.#failures.has(name)) return;
        try {
          await store.put(key, parts, options);
        } catch (error) {
          options.signal?.throwIfAborted();
          this.#failures.set(name, asFailure(error, 'storage_unreachable'));
        }
      }),
    );
    const [first] = this.#failures.values();
    if (first !== undefined && this.#failures.size === targets.length) throw first;
  }

  *#runs(rows: Iterable<number>): Generator<Run> {
    const { table } = this.#move;
    const byPack = new Map<number, number[]>();
    for (const row of rows) {
      const pack = table.index.packOf(row);
      const list = byPack.get(pack);
      if (list === undefined) byPack.set(pack, [row]);
      else list.push(row);
    }
    for (const [pack, wanted] of byPack) yield* runsOf(table, pack, wanted);
  }
}

/** The wanted blobs of a pack as stretches that are read at once. */
function* runsOf({ index }: PackTable, pack: number, wanted: readonly number[]): Generator<Run> {
  const blobs = wanted.map((row) => ({ row, ...index.at(row) })).sort((a, b) => a.offset - b.offset);
  let first = 0;
  const run = (to: number): Run => {
    const members = blobs.slice(first, to);
    const last = members.at(-1)!;
    const rows = Uint32Array.from(members, ({ row }) => row);
    return { pack, offset: members[0]!.offset, end: last.offset + last.length, rows };
  };
  for (let i = 1; i < blobs.length; i++) {
    const before = blobs[i - 1]!;
    const { offset, length } = blobs[i]!;
    const gap = offset - (before.offset + before.length);
    if (gap <= MAX_GAP && offset + length - blobs[first]!.offset <= MAX_RUN) continue;
    yield run(i);
    first = i;
  }
  if (blobs.length > 0) yield run(blobs.length);
}
