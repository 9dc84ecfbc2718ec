/** Keeps account of bad copies that a restore went round: the first few of each storage are told, all are counted. */
import { given } from '../../base/given.ts';
import type { Progress } from '../../base/progress.ts';
import type { ReadProblem } from '../../repository/replicas.ts';

const TOLD = 3;

export interface StorageProblems {
  readonly storage: string;
  readonly count: number;
  /** The storage's own words for the first. */
  readonly message: string;
}

export class ReadProblems {
  readonly #progress: Progress;
  readonly #byStorage = new Map<string, { storage: string; count: number; message: string }>();
  /** Of each storage the objects that were told. */
  readonly #told = new Map<string, Set<string>>();

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  take({ storage, key, failure }: ReadProblem): void {
    const known = this.#byStorage.get(storage) ?? { storage, count: 0, message: failure.message };
    this.#byStorage.set(storage, known);
    known.count += 1;
    const told = this.#told.get(storage) ?? new Set();
    this.#told.set(storage, told);
    if (told.has(key) || told.size === TOLD) return;
    told.add(key);
    const hint = told.size === TOLD ? 'More of this storage are counted, not told.' : undefined;
    const message = `${failure.message} Another copy is tried.`;
    this.#progress({ type: 'warning', storage, item: key, message, ...given('hint', hint) });
  }

  get all(): readonly StorageProblems[] {
    return [...this.#byStorage.values()];
  }
}
