/**
 * Makes files from their earlier content and what changed: pieces without a changed page are taken over by their ids, the others are fetched
 * from the nearest storage, verified, changed and stored. Fetches of several pieces, of one file or more, are under way at once.
 */
import { ByteBudget } from '../../base/byte-budget.ts';
import { Failure } from '../../base/failure.ts';
import { idFromBytes } from '../../base/ids.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PointWriter } from '../../repository/point-writer.ts';
import type { FileChanges } from '../../sources/entry.ts';
import { WORK_AHEAD } from './context.ts';
import type { EarlierFile, EarlierFiles } from './earlier-files.ts';
import { type MergeStep, planMerge } from './merge-plan.ts';
import type { StoredContent } from './store-stream.ts';

/** Pieces that are fetched and put together at once, in bytes. */
const IN_FLIGHT = 16 * 1024 * 1024;
/** Pieces go to the workers together, up to so many or so many bytes; each batch counts as at least `LEAST` in flight. */
const BATCH = 16;
const BATCH_BYTES = 1024 * 1024;
const LEAST = 1024 * 1024;

type Build = Extract<MergeStep, { kind: 'build' }>;

export class FileMerger {
  readonly #writer: PointWriter;
  readonly #indexed: IndexedRepository;
  readonly #earlier: EarlierFiles;
  readonly #budget = new ByteBudget(IN_FLIGHT);

  constructor(writer: PointWriter, indexed: IndexedRepository, earlier: EarlierFiles) {
    this.#writer = writer;
    this.#indexed = indexed;
    this.#earlier = earlier;
  }

  /** Resolves when the changes are consumed; `content` follows. Throws `data_missing` for a file that the earlier point lacks. */
  async merge(path: string, changes: FileChanges, size: number, grain: number): Promise<StoredContent> {
    const earlier = this.#earlier.get(path);
    if (earlier === undefined) throw new Failure('data_missing', `The earlier point has no ${path} to build on.`);
    const isHeld = (piece: number): boolean => this.#writer.has('data', earlier.content, piece * 32);
    const pages = new PageFeed(changes);
    const parts: Promise<Uint8Array>[] = [];
    for (const steps of inBatches(planMerge({ earlier, changes, size, grain, isHeld }))) {
      const changed: (readonly ChangedPage[])[] = [];
      for (const step of steps) if (step.kind === 'build') changed.push(await pages.take(step.pages));
      // fetched and stored while the next pages come
      const turn = await this.#budget.take(Math.max(bytesToBuild(steps), LEAST));
      const part = this.#make(steps, earlier, changed, changes.grain).finally(() => turn[Symbol.dispose]());
      part.catch(() => {}); // told by `content`
      parts.push(part);
      await this.#writer.pool.below(WORK_AHEAD);
    }
    const content = Promise.all(parts).then((all) => Buffer.concat(all));
    content.catch(() => {}); // awaited by the caller, unless something else fails before
    return { content, size };
  }

  /** The content that the steps amount to; `changed` are the pages of each one that builds. */
  async #make(
    steps: readonly MergeStep[],
    earlier: EarlierFile,
    changed: readonly (readonly ChangedPage[])[],
    grain: number,
  ): Promise<Uint8Array> {
    const builds = steps.filter((step) => step.kind === 'build');
    const built = await Promise.all(builds.map((step, i) => this.#build(step, earlier, changed[i] ?? [], grain)));
    const ids = built.length === 0 ? NONE : await this.#writer.pool.storeBlobs(false, built.flat());
    let at = 0;
    const next = (pieces: number): Uint8Array => {
      at += pieces * 32;
      return ids.subarray(at - pieces * 32, at);
    };
    const counts = built.values().map(({ length }) => length);
    return Buffer.concat(
      steps.map((step) =>
        step.kind === 'keep'
          ? earlier.content.subarray(step.from * 32, step.to * 32)
          : next(counts.next().value as number),
      ),
    );
  }

  async #build(
    step: Build,
    earlier: EarlierFile,
    changed: readonly ChangedPage[],
    grain: number,
  ): Promise<Uint8Array[]> {
    const bytes = new Uint8Array(step.end - step.start);
    if (step.piece !== undefined) {
      const old = await this.#indexed.readBlob('data', idFromBytes(earlier.content, step.piece * 32));
      bytes.set(old.subarray(0, step.keep));
    }
    for (const { offset, page } of changed) bytes.set(page, offset - step.start);
    return cut(bytes, grain);
  }
}

const NONE = new Uint8Array(0);

/** Consecutive steps, as many as are put together at once. */
function* inBatches(steps: readonly MergeStep[]): Generator<MergeStep[]> {
  let batch: MergeStep[] = [];
  let builds = 0;
  let bytes = 0;
  for (const step of steps) {
    batch.push(step);
    if (step.kind === 'keep') continue;
    builds++;
    bytes += step.end - step.start;
    if (builds < BATCH && bytes < BATCH_BYTES) continue;
    yield batch;
    [batch, builds, bytes] = [[], 0, 0];
  }
  if (batch.length > 0) yield batch;
}

function bytesToBuild(steps: readonly MergeStep[]): number {
  return steps.reduce((sum, step) => sum + (step.kind === 'build' ? step.end - step.start : 0), 0);
}

/** A piece that changes once is likely to change again: it is cut at the grain, however long it was. */
function cut(bytes: Uint8Array, grain: number): Uint8Array[] {
  if (bytes.length <= grain) return [bytes];
  return Array.from({ length: Math.ceil(bytes.length / grain) }, (_, i) => bytes.slice(i * grain, (i + 1) * grain));
}

interface ChangedPage {
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly page: Uint8Array;
}

/** The changed pages of a file, a few at a time. */
class PageFeed {
  readonly #changes: FileChanges;
  readonly #pages: AsyncIterator<Uint8Array>;
  #next = 0;

  constructor(changes: FileChanges) {
    this.#changes = changes;
    this.#pages = changes.pages()[Symbol.asyncIterator]();
  }

  async take(count: number): Promise<ChangedPage[]> {
    const taken: ChangedPage[] = [];
    for (let i = 0; i < count; i++) {
      const { done, value } = await this.#pages.next();
      if (done) throw new Failure('internal', 'Fewer pages came than were announced.');
      const offset = (this.#changes.blocks[this.#next++] as number) * this.#changes.pageSize;
      taken.push({ offset, page: Uint8Array.from(value) });
    }
    return taken;
  }
}
