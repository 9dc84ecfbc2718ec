/**
 * Carries a restore plan out. Order: directories (closed to others), contents, symbolic links, hard links, extended attributes; then all
 * of it made durable; then `global/pg_control` of each database, without which PostgreSQL does not start; then the directories' own
 * owners, modes and times, deepest first. Interrupted anywhere, the same restore continues and fetches nothing twice.
 */
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { ReadProblem } from '../repository/replicas.ts';
import { RestoreEngine, type RestoreProgress } from '../repository/restore-engine.ts';
import type { Ownership } from '../repository/restore-metadata.ts';
import { RestorePaths } from '../repository/restore-paths.ts';
import { KIND, STATE } from '../repository/restore-table.ts';
import { applyXattrs } from '../sources/files-source.ts';
import { EarlyFlush, makeDurable } from './durability.ts';
import type { RestorePlan } from './plan.ts';
import { TargetTree } from './target-tree.ts';

export interface RestoreFilesOptions {
  /** The target directory, which exists. Absolute. */
  readonly target: string;
  /** Something of an earlier, unfinished restore is in it. */
  readonly continues: boolean;
  /** The restore made the directory, and gives it its mode at the end. */
  readonly made: boolean;
  readonly ownership: Ownership;
  readonly workers?: number;
  /** Whether all of it is flushed to the disk. Default true; a throw-away copy does without. */
  readonly durable?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: RestoreProgress) => void;
  readonly onReadProblem?: (problem: ReadProblem) => void;
  readonly onNote?: (message: string) => void;
}

/** Something that could not be restored as it was. */
export interface FileProblem {
  /** Relative to the target. */
  readonly path: string;
  readonly message: string;
  /** The file is not there, rather than without an attribute. */
  readonly missing: boolean;
}

export interface RestoredFiles {
  readonly files: number;
  /** Plain bytes written now, and those an earlier run had left in place. */
  readonly bytesWritten: number;
  readonly bytesKept: number;
  /** Sealed bytes fetched, by storage. */
  readonly fetched: ReadonlyMap<string, number>;
  /** Control files that were not written, then the first thousand; `problemCount` says how many there were. */
  readonly problems: readonly FileProblem[];
  readonly problemCount: number;
  /** Files of the plan that are not there. */
  readonly missing: number;
}

const MAX_PROBLEMS = 1000;

export async function restoreFiles(
  indexed: IndexedRepository,
  plan: RestorePlan,
  options: RestoreFilesOptions,
): Promise<RestoredFiles> {
  return new RestoreRun(indexed, plan, options).perform();
}

class RestoreRun {
  readonly #indexed: IndexedRepository;
  readonly #plan: RestorePlan;
  readonly #options: RestoreFilesOptions;
  readonly #tree: TargetTree;
  readonly #relative: RestorePaths;
  readonly #problems: FileProblem[] = [];
  /** Control files that were not written: few, and named even where the list of problems is full. */
  readonly #withheld: FileProblem[] = [];
  #problemCount = 0;
  #missing = 0;
  /** Rows of sources that lack files. */
  readonly #incomplete: Set<number>;

  constructor(indexed: IndexedRepository, plan: RestorePlan, options: RestoreFilesOptions) {
    this.#indexed = indexed;
    this.#plan = plan;
    this.#options = options;
    this.#incomplete = new Set(plan.incompleteSources.map((name) => plan.sourceRows.get(name) ?? 0));
    this.#relative = new RestorePaths(plan.columns);
    this.#tree = new TargetTree({
      columns: plan.columns,
      base: Buffer.from(options.target),
      ownership: options.ownership,
      made: options.made,
      signal: options.signal,
      onProblem: (row, message, missing) => this.#problem(row, message, missing),
    });
  }

  async perform(): Promise<RestoredFiles> {
    const { columns, lastFiles } = this.#plan;
    await this.#tree.makeDirectories(this.#options.continues);
    await using flush = new EarlyFlush(this.#options.target);
    await using engine = this.#openEngine(flush);
    const files = rowsOfKind(columns.kind, columns.rows, KIND.file);
    await this.#tree.checkReachable(files);
    if (this.#options.continues) await engine.inspect(files.filter((row) => columns.state[row] === STATE.fresh));
    const last = new Set(lastFiles);
    await engine.write(last.size === 0 ? files : files.filter((row) => !last.has(row)));
    const wholeLast = lastFiles.filter((row) => this.#isWhole(row));
    await this.#tree.makeSymlinks(rowsOfKind(columns.kind, columns.rows, KIND.symlink));
    await this.#tree.makeHardLinks(rowsOfKind(columns.kind, columns.rows, KIND.hardLink));
    await this.#applyXattrs();
    if (wholeLast.length > 0) {
      await this.#settle();
      await engine.write(wholeLast);
    }
    await this.#tree.removeFailed(files);
    await this.#tree.finishDirectories();
    await this.#settle();
    return this.#outcome(engine);
  }

  #openEngine(flush: EarlyFlush): RestoreEngine {
    const { columns, mask } = this.#plan;
    const { target, ownership, workers, durable, signal, onProgress, onReadProblem } = this.#options;
    return new RestoreEngine(this.#indexed, {
      columns,
      base: Buffer.from(target),
      ownership,
      mask,
      onRowProblem: ({ row, message, fatal }) => this.#problem(row, message, fatal),
      ...(workers === undefined ? {} : { workers }),
      signal,
      onProgress: (progress) => {
        if (durable !== false) flush.wrote(progress.bytes);
        onProgress?.(progress);
      },
      ...(onReadProblem ? { onReadProblem } : {}),
    });
  }

  async #applyXattrs(): Promise<void> {
    const { xattrs, columns } = this.#plan;
    const paths = this.#tree.paths;
    const list = function* () {
      for (const [row, values] of xattrs.entries()) {
        if (columns.state[row] !== STATE.failed) yield { path: paths.path(row), xattrs: values };
      }
    };
    if (xattrs.size > 0) await applyXattrs(list(), ({ item, reason }) => this.#options.onNote?.(`${item}: ${reason}`));
  }

  /** Whether the database that this control file starts has all its files; otherwise it must not start. */
  #isWhole(row: number): boolean {
    const source = this.#sourceOf(row);
    if (!this.#incomplete.has(source)) return true;
    const message = 'not written: the database lacks files, and must not be started like this';
    this.#withheld.push({ path: this.#relative.text(row), message, missing: true });
    this.#problemCount += 1;
    this.#missing += 1;
    return false;
  }

  /** The row of the source's directory that `row` is in. */
  #sourceOf(row: number): number {
    const { parent } = this.#plan.columns;
    let at = row;
    while (parent[at] !== 0) at = parent[at]!;
    return at;
  }

  async #settle(): Promise<void> {
    if (this.#options.durable === false) return;
    await makeDurable(this.#options.target, this.#tree.filesAndDirectories());
  }

  #problem(row: number, message: string, missing: boolean): void {
    this.#problemCount += 1;
    if (missing) {
      this.#missing += 1;
      this.#incomplete.add(this.#sourceOf(row));
    }
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ path: this.#relative.text(row), message, missing });
  }

  #outcome(engine: RestoreEngine): RestoredFiles {
    const { files, bytes, kept } = engine.progress;
    return {
      files,
      bytesWritten: bytes,
      bytesKept: kept,
      fetched: engine.fetched,
      problems: [...this.#withheld, ...this.#problems],
      problemCount: this.#problemCount,
      missing: this.#missing,
    };
  }
}

function rowsOfKind(kinds: Uint8Array, rows: number, kind: number): Uint32Array {
  let count = 0;
  for (let row = 0; row < rows; row++) if (kinds[row] === kind) count++;
  const found = new Uint32Array(count);
  let at = 0;
  for (let row = 0; row < rows; row++) if (kinds[row] === kind) found[at++] = row;
  return found;
}
