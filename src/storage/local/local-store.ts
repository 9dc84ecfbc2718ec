/**
 * A storage in a directory, laid out as restic's local backend does (keys are relative paths; 0700, 0600, sealed objects read-only), so
 * that restic and Holdfast can use the same directory.
 */
import { stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { syncDirectory } from '../../base/sync-directory.ts';
import { type Parts, partList } from '../bytes.ts';
import { checkKey, checkPrefix } from '../keys.ts';
import type { ByteRange, CallOptions, ObjectInfo, ObjectStore, PutOptions } from '../object-store.ts';
import { localFailure } from './errors.ts';
import { listObjects } from './list-objects.ts';
import { findMountPoint } from './mount-point.ts';
import { type OpenFile, OpenFiles, withFile } from './open-files.ts';
import { readObject } from './read-object.ts';
import { Root } from './root.ts';
import { objectExists, writeObject } from './write-object.ts';

export interface LocalStoreOptions {
  readonly name: string;
  /** The directory; relative paths are relative to the working directory. */
  readonly path: string;
  /** Make the directory when the first object is stored. Otherwise a missing directory is `storage_missing`. Default false. */
  readonly create?: boolean;
}

/** Opens a storage in a directory. Nothing is touched until the first call. */
export function openLocalStore(options: LocalStoreOptions): ObjectStore {
  return new LocalStore(options);
}

class LocalStore implements ObjectStore {
  readonly name: string;
  readonly location: string;
  readonly #root: Root;
  readonly #open = new OpenFiles();

  constructor({ name, path, create = false }: LocalStoreOptions) {
    this.name = name;
    this.#root = new Root(name, path, create);
    this.location = this.#root.path;
  }

  async put(key: string, parts: Parts, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    const path = await this.#begin(key, signal);
    try {
      await writeObject(this.#root, { path, parts: partList(parts), ifAbsent, signal });
      this.#open.forget(path);
    } catch (error) {
      if (ifAbsent && errno(error) === 'EEXIST') throw objectExists(this.name, key);
      throw this.#failure(`writing ${key}`, error, signal);
    }
  }

  async get(key: string, range?: ByteRange, { signal }: CallOptions = {}): Promise<Uint8Array> {
    const path = await this.#begin(key, signal);
    try {
      const read = (file: OpenFile) => readObject(`${this.name}: ${key}`, file, range, signal);
      return range === undefined ? await withFile(path, read) : await this.#open.use(path, read);
    } catch (error) {
      if (!isAbsence(error)) throw this.#failure(`reading ${key}`, error, signal);
      await this.#root.assertThere();
      throw new Failure('object_missing', `${this.name}: ${key} is not there.`, { cause: error });
    }
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<ObjectInfo | undefined> {
    const path = await this.#begin(key, signal);
    try {
      const found = await stat(path);
      return found.isFile() ? { key, size: found.size } : undefined;
    } catch (error) {
      if (!isAbsence(error)) throw this.#failure(`looking at ${key}`, error, signal);
      await this.#root.assertThere();
      return undefined;
    }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<readonly ObjectInfo[]> {
    checkPrefix(prefix);
    signal?.throwIfAborted();
    await this.#root.remember();
    try {
      yield* listObjects(this.#root.path, prefix, signal);
    } catch (error) {
      if (!isAbsence(error)) throw this.#failure(`listing ${prefix || 'everything'}`, error, signal);
      await this.#root.assertThere();
    }
  }

  async delete(key: string, { signal }: CallOptions = {}): Promise<void> {
    const path = await this.#begin(key, signal);
    try {
      await unlink(path);
      this.#open.forget(path);
      if (mustStayRemoved(key)) await syncDirectory(dirname(path));
    } catch (error) {
      if (!isAbsence(error)) throw this.#failure(`removing ${key}`, error, signal);
      await this.#root.assertThere();
    }
  }

  async retain(key: string): Promise<void> {
    checkKey(key);
  }

  async mountPoint(): Promise<string | undefined> {
    try {
      return await findMountPoint(this.location);
    } catch (error) {
      throw this.#failure(`looking for the mount of ${this.location}`, error, undefined);
    }
  }

  async close(): Promise<void> {
    this.#open.closeAll();
  }

  async #begin(key: string, signal: AbortSignal | undefined): Promise<string> {
    checkKey(key);
    signal?.throwIfAborted();
    await this.#root.remember();
    return this.#root.pathOf(key);
  }

  #failure(doing: string, error: unknown, signal: AbortSignal | undefined): unknown {
    return signal?.aborted ? signal.reason : localFailure(this.name, doing, error);
  }
}

function isAbsence(error: unknown): boolean {
  const code = errno(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * A pack that comes back after a power cut is only unused space, and prune removes thousands. Anything else must stay removed before the
 * next step counts on it (indexes go before the packs they name).
 */
function mustStayRemoved(key: string): boolean {
  return !key.startsWith('data/');
}
