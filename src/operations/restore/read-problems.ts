/** Keeps account of bad copies that a restore went round: the first few of each storage are told, all are counted. */
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

  constructor(progress: Progress) {
    this.#progress = progress;
  }

  take({ storage, key, failure }: ReadProblem): void {
    const known = this.#byStorage.get(storage) ?? { storage, count: 0, message: failure.message };
    this.#byStorage.set(storage, known);
    known.count += 1;
    if (known.count > TOLD) return;
    const hint = known.count === TOLD ? 'More of this storage are counted, not told.' : undefined;
    const message = `${failure.message} Another copy is used.`;
    this.#progress({ type: 'warning', storage, item: key, message, ...(hint === undefined ? {} : { hint }) });
  }

  get all(): readonly StorageProblems[] {
    return [...this.#byStorage.values()];
  }
}
