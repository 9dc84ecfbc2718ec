/**
 * The storage's own directory, and whether it is still the one we began with.
 *
 * A disk or network share that is not mounted leaves a missing or an empty directory. Neither may look like "the objects are gone", and
 * nothing may be written there: both are told apart here, whenever something expected is not found.
 */
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { makeDirectories } from '../../base/make-directories.ts';
import { syncDirectory } from '../../base/sync-directory.ts';
import { localFailure } from './errors.ts';

/** Permission bits of what we create; derived from those of `config`, as restic does. */
export interface Modes {
  readonly dir: number;
  readonly file: number;
}

const PRIVATE: Modes = { dir: 0o700, file: 0o600 };
const GROUP: Modes = { dir: 0o770, file: 0o660 };

export class Root {
  readonly path: string;
  readonly #storage: string;
  readonly #create: boolean;
  #identity: string | undefined;
  #modes: Modes | undefined;

  /** `create`: make the directory when the first object is stored. */
  constructor(storage: string, path: string, create: boolean) {
    this.path = resolve(path);
    this.#storage = storage;
    this.#create = create;
  }

  pathOf(key: string): string {
    return join(this.path, key);
  }

  /** Remembers which directory stands there, once, before anything is done in it. */
  async remember(): Promise<void> {
    this.#identity ??= await this.#look();
  }

  /** Throws `storage_missing` when the directory is not there, `storage_unreachable` when it is no longer the same. */
  async assertThere(): Promise<void> {
    const identity = await this.#look();
    if (identity === undefined) throw this.#missing();
    if (this.#identity === identity) return;
    if (this.#identity !== undefined && !(await this.#holdsRepository())) {
      throw new Failure('storage_unreachable', `${this.#storage}: another directory now stands at ${this.path}.`, {
        hint: 'Mount the disk or share that holds the repository again.',
      });
    }
    this.#identity = identity;
  }

  /** Makes the directories that lead to an object, each durable; never makes the root unless asked to at the beginning. */
  async makeParents(path: string): Promise<void> {
    const modes = await this.modes();
    if (this.#create && (await this.#look()) === undefined) await this.#makeRoot(modes);
    await this.assertThere();
    await this.#makeDirectory(dirname(path), modes);
  }

  async #makeDirectory(path: string, modes: Modes, hasParent = false): Promise<void> {
    if (path === this.path) return;
    try {
      await mkdir(path, { mode: modes.dir });
    } catch (error) {
      if (errno(error) === 'EEXIST') return;
      if (errno(error) !== 'ENOENT') throw error;
      if (hasParent) throw this.#takesNone(path, error);
      await this.#makeDirectory(dirname(path), modes);
      return this.#makeDirectory(path, modes, true);
    }
    if (modes === GROUP) await chmod(path, modes.dir);
    await syncDirectory(dirname(path));
  }

  async #makeRoot(modes: Modes): Promise<void> {
    try {
      await makeDirectories(this.path, modes.dir);
    } catch (error) {
      if (errno(error) === 'ENOENT') throw this.#takesNone(this.path, error);
      throw localFailure(this.#storage, `making ${this.path}`, error);
    }
  }

  /** Modes for new files and directories: private, or shared with the group when `config` is group-readable. */
  async modes(): Promise<Modes> {
    if (this.#modes) return this.#modes;
    const config = await statOrUndefined(this.pathOf('config'));
    if (!config) return PRIVATE;
    this.#modes = config.mode & 0o040 ? GROUP : PRIVATE;
    return this.#modes;
  }

  async #look(): Promise<string | undefined> {
    const found = await statOrUndefined(this.path).catch((error: unknown) => {
      throw localFailure(this.#storage, `opening ${this.path}`, error);
    });
    if (!found) return undefined;
    if (found.isDirectory()) return `${found.dev}:${found.ino}`;
    throw new Failure('storage_refused', `${this.#storage}: ${this.path} is not a directory.`, {
      hint: 'Check the path of this storage in the configuration.',
    });
  }

  async #holdsRepository(): Promise<boolean> {
    return (await statOrUndefined(this.pathOf('config'))) !== undefined;
  }

  #takesNone(path: string, cause: unknown): Failure {
    return new Failure('storage_refused', `${this.#storage}: ${path} cannot be made: nothing can be created there.`, {
      hint: 'Check the path of this storage in the configuration; an automount must be mounted first.',
      cause,
    });
  }

  #missing(): Failure {
    return new Failure('storage_missing', `${this.#storage}: the directory ${this.path} does not exist.`, {
      hint: 'If it lies on a disk or network share, mount that first; for a new repository run: holdfast init',
    });
  }
}

async function statOrUndefined(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined;
    throw error;
  }
}
