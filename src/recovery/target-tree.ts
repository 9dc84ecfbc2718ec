/**
 * Everything of a restore that is not content: directories, symbolic links, hard links, the directories' metadata. System calls are
 * synchronous, in short turns, because each takes microseconds and a promise for each would take more.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { errno } from '../base/errno.ts';
import { isOfOneFile, isRefusal, targetFailure } from '../repository/restore-errors.ts';
import { modeFor, type Ownership, ownerOf, toSeconds } from '../repository/restore-metadata.ts';
import { RestorePaths, symlinkTarget } from '../repository/restore-paths.ts';
import { KIND, type RestoreColumns, STATE } from '../repository/restore-table.ts';

/** Rows dealt with before others get their turn. */
const TURN = 256;

export interface TargetTreeOptions {
  readonly columns: RestoreColumns;
  /** The target directory. */
  readonly base: Buffer;
  readonly ownership: Ownership;
  /** The target directory was made by this restore; otherwise its mode and owner stay as they are. */
  readonly made: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProblem: (row: number, message: string, missing: boolean) => void;
}

export class TargetTree {
  readonly paths: RestorePaths;
  readonly #columns: RestoreColumns;
  readonly #options: TargetTreeOptions;

  constructor(options: TargetTreeOptions) {
    this.#options = options;
    this.#columns = options.columns;
    this.paths = new RestorePaths(options.columns, options.base);
  }

  /** Makes all directories, closed to others until the end. One that is there already must be a real directory. */
  async makeDirectories(continues: boolean): Promise<void> {
    await this.#each(this.#directoryRows(), (row, path) => {
      if (row === 0) return;
      try {
        mkdirSync(path, 0o700);
      } catch (error) {
        if (errno(error) !== 'EEXIST' || !continues || !lstatSync(path).isDirectory()) throw error;
        chmodSync(path, 0o700);
      }
    });
  }

  async makeSymlinks(rows: Uint32Array): Promise<void> {
    await this.#each(rows, (row, path) => {
      const target = symlinkTarget(this.#columns, row);
      if (!isSymlinkTo(path, target)) {
        removeLeftover(path);
        symlinkSync(target, path);
      }
      this.#tolerant(row, 'owner', () => this.#own(row, path));
      const seconds = toSeconds(this.#columns.mtimeNs[row]!);
      this.#tolerant(row, 'time', () => lutimesSync(path, seconds, seconds));
    });
  }

  /** Where the file system has no hard links, a copy takes their place. */
  async makeHardLinks(rows: Uint32Array): Promise<void> {
    await this.#each(rows, (row, path) => {
      const first = this.#columns.start[row]!;
      if (this.#columns.state[first] === STATE.failed) {
        this.#giveUp(row, 'the file it is another name of is missing');
        return;
      }
      const source = this.paths.path(first);
      if (isSameFile(source, path)) return;
      removeLeftover(path);
      try {
        linkSync(source, path);
      } catch (error) {
        if (!['EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP'].includes(errno(error) ?? '')) throw error;
        copyFileSync(source, path, constants.COPYFILE_EXCL);
        this.#finish(row, path);
      }
    });
  }

  /** Owner, mode and time of every directory, deepest first, so that nothing changes them again. */
  async finishDirectories(): Promise<void> {
    await this.#each(this.#directoryRows().reverse(), (row, path) => {
      if (row === 0) this.#finishTarget(path);
      else this.#finish(row, path);
    });
  }

  /** Gives up the files whose directory could not be made. */
  async checkReachable(rows: Uint32Array): Promise<void> {
    await this.#each(rows, () => {});
  }

  /** A file that lacks content is not left behind under its name. */
  async removeFailed(rows: Uint32Array): Promise<void> {
    const failed = rows.filter((row) => this.#columns.state[row] === STATE.failed);
    await this.#each(failed, (_row, path) => removeLeftover(path));
  }

  *filesAndDirectories(): Generator<Buffer> {
    const { kind, state, rows } = this.#columns;
    for (let row = 0; row < rows; row++) {
      if (kind[row] === KIND.directory || state[row] === STATE.done) yield this.paths.path(row);
    }
  }

  #directoryRows(): Uint32Array {
    const { kind, rows } = this.#columns;
    const found: number[] = [];
    for (let row = 0; row < rows; row++) if (kind[row] === KIND.directory) found.push(row);
    return Uint32Array.from(found);
  }

  /** The target itself: open enough that the owners of what is inside can reach it, given to the owner that was named. */
  #finishTarget(path: Buffer): void {
    const { ownership, made } = this.#options;
    if (!made) return;
    if (typeof ownership === 'object') this.#tolerant(0, 'owner', () => lchownSync(path, ownership.uid, ownership.gid));
    this.#tolerant(0, 'mode', () => chmodSync(path, this.#columns.mode[0]!));
  }

  #finish(row: number, path: Buffer): void {
    this.#tolerant(row, 'owner', () => this.#own(row, path));
    this.#tolerant(row, 'mode', () => chmodSync(path, modeFor(this.#options.ownership, this.#columns.mode[row]!)));
    const seconds = toSeconds(this.#columns.mtimeNs[row]!);
    this.#tolerant(row, 'time', () => utimesSync(path, seconds, seconds));
  }

  #own(row: number, path: Buffer): void {
    const owner = ownerOf(this.#options.ownership, this.#columns.uid[row]!, this.#columns.gid[row]!);
    if (owner !== undefined) lchownSync(path, owner.uid, owner.gid);
  }

  #tolerant(row: number, what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#options.onProblem(row, `its ${what} could not be set: ${(error as Error).message}`, false);
    }
  }

  async #each(rows: Uint32Array, work: (row: number, path: Buffer) => void): Promise<void> {
    for (const [turn, row] of rows.entries()) {
      if (turn % TURN === 0) {
        await setImmediate();
        this.#options.signal?.throwIfAborted();
      }
      if (this.#isUnreachable(row)) continue;
      const path = this.paths.path(row);
      try {
        work(row, path);
      } catch (error) {
        if (!isOfOneFile(error)) throw targetFailure(error, path);
        this.#giveUp(row, (error as Error).message);
      }
    }
  }

  /** Whether the directory that `row` would stand in, or the row itself, could not be made. */
  #isUnreachable(row: number): boolean {
    const { state, parent, kind } = this.#columns;
    if (state[row] === STATE.failed) return kind[row] !== KIND.file;
    if (state[parent[row]!] !== STATE.failed || row === 0) return false;
    this.#giveUp(row, 'its directory could not be made');
    return true;
  }

  #giveUp(row: number, message: string): void {
    this.#columns.state[row] = STATE.failed;
    this.#options.onProblem(row, message, true);
  }
}

/** What an earlier run left under a name; a directory there is not ours to remove and makes the restore fail. */
function removeLeftover(path: Buffer): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!['ENOENT', 'ENAMETOOLONG'].includes(errno(error) ?? '')) throw error;
  }
}

function isSymlinkTo(path: Buffer, target: Buffer): boolean {
  try {
    return readlinkSync(path, { encoding: 'buffer' }).equals(target);
  } catch {
    return false;
  }
}

function isSameFile(one: Buffer, other: Buffer): boolean {
  const a = lstatSync(one, { bigint: true });
  const b = lstatSync(other, { bigint: true, throwIfNoEntry: false });
  return b !== undefined && a.ino === b.ino && a.dev === b.dev;
}
