/** Refuses what a directory of a point must not hold: names that leave it, and the same name twice. */
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { isPlainName } from '../../repository/restore-trees.ts';

/** Directories may be nested this deep: a path of 4,096 bytes has no more. */
export const MAX_DEPTH = 2048;

const HINT =
  'No backup writes this; somebody made the point by hand. Restore the rest with --source or --path, and find out who.';

export class NameGuard {
  readonly #directory: string;
  #last: Buffer | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Names must come in strictly ascending order of their bytes, as every backup writes them. Throws `target_unsafe`. */
  check(name: Buffer): void {
    const where = printable(this.#directory === '' ? 'The point' : this.#directory);
    if (!isPlainName(name)) {
      throw new Failure(
        'target_unsafe',
        `${where} holds the name ${JSON.stringify(name.toString())}, which could leave the target.`,
        { hint: HINT },
      );
    }
    const order = this.#last === undefined ? 1 : Buffer.compare(name, this.#last);
    if (order <= 0) {
      const what = order === 0 ? 'twice' : 'out of order';
      throw new Failure('target_unsafe', `${where} holds the name "${printable(name.toString())}" ${what}.`, {
        hint: HINT,
      });
    }
    this.#last = name;
  }
}
