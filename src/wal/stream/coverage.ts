/** How far a storage holds a timeline without a hole, while pieces arrive out of order. */
import type { Lsn } from '../../postgres/lsn.ts';
import type { CommitTime } from '../piece.ts';

interface Run {
  readonly start: Lsn;
  readonly end: Lsn;
  readonly lastCommit: CommitTime | undefined;
}

export class Coverage {
  #end: Lsn;
  #lastCommit: CommitTime | undefined;
  #beyond: Run[] = [];

  /** Everything before `base` counts as held. */
  constructor(base: Lsn) {
    this.#end = base;
  }

  /** Held without a hole up to here. */
  get end(): Lsn {
    return this.#end;
  }

  /** The latest commit before `end` that is known. */
  get lastCommit(): CommitTime | undefined {
    return this.#lastCommit;
  }

  /** Whether all of a span is held. */
  holds(start: Lsn, end: Lsn): boolean {
    return end <= this.#end || this.#beyond.some((run) => run.start <= start && end <= run.end);
  }

  /** Whether all of a span would be held, were these runs stored too. */
  wouldHold({ start, end }: Pick<Run, 'start' | 'end'>, runs: Iterable<Run>): boolean {
    const then = new Coverage(this.#end);
    for (const run of [...this.#beyond, ...runs]) then.add(run);
    return then.holds(start, end);
  }

  add(run: Run): void {
    this.#beyond.push(run);
    this.#beyond.sort((a, b) => (a.start < b.start ? -1 : 1));
    while (this.#beyond[0] !== undefined && this.#beyond[0].start <= this.#end) {
      const { end, lastCommit } = this.#beyond.shift()!;
      if (end > this.#end) this.#end = end;
      if (lastCommit !== undefined && lastCommit > (this.#lastCommit ?? 0n)) this.#lastCommit = lastCommit;
    }
  }
}
