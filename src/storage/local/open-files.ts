/**
 * Files that were read a moment ago, kept open: a pack of which hundreds of small ranges are wanted is opened and looked at once, not for
 * each of them. A file is let go when it was not read for a moment, so that a disk can be unmounted and the room of a removed pack is free.
 */
import { close, constants, fstat, open, type Stats } from 'node:fs';
import { promisify } from 'node:util';

export interface OpenFile {
  readonly fd: number;
  readonly stats: Stats;
}

interface Entry {
  readonly opening: Promise<OpenFile>;
  users: number;
  /** No longer found by its path; closed when the last user leaves. */
  isDropped: boolean;
}

const AT_ONCE = 8;
/** How long an unused file stays open, in ms. */
const IDLE_MS = 500;

const openFd = promisify(open);
const statFd = promisify(fstat);

export class OpenFiles {
  /** By path, the one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  #idle: NodeJS.Timeout | undefined;

  /** Runs `work` with the file at `path`. Errors: those of the operating system and of `work`, after which the file is opened anew. */
  async use<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
    const entry = this.#take(path);
    try {
      return await work(await entry.opening);
    } catch (error) {
      this.#drop(path, entry);
      throw error;
    } finally {
      entry.users--;
      if (entry.isDropped) closeUnused(entry);
      else this.#closeWhenIdle();
    }
  }

  /** The file at `path` is another one, or gone, from now on. */
  forget(path: string): void {
    const entry = this.#entries.get(path);
    if (entry !== undefined) this.#drop(path, entry);
  }

  /** Files in use are closed when their users are done. */
  closeAll(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    for (const [path, entry] of this.#entries) this.#drop(path, entry);
  }

  #take(path: string): Entry {
    const entry = this.#entries.get(path) ?? { opening: openFile(path), users: 0, isDropped: false };
    entry.users++;
    this.#entries.delete(path);
    this.#entries.set(path, entry);
    for (const [oldest, other] of this.#entries) {
      if (this.#entries.size <= AT_ONCE) break;
      this.#drop(oldest, other);
    }
    return entry;
  }

  #drop(path: string, entry: Entry): void {
    if (this.#entries.get(path) === entry) this.#entries.delete(path);
    entry.isDropped = true;
    closeUnused(entry);
  }

  #closeWhenIdle(): void {
    if (this.#idle !== undefined) this.#idle.refresh();
    else this.#idle = setTimeout(() => this.closeAll(), IDLE_MS).unref();
  }
}

/** Opens the file at `path` for `work` alone. Errors: those of the operating system and of `work`. */
export async function withFile<T>(path: string, work: (file: OpenFile) => Promise<T>): Promise<T> {
  const file = await openFile(path);
  try {
    return await work(file);
  } finally {
    close(file.fd, ignore);
  }
}

/** Never blocks on a fifo. */
async function openFile(path: string): Promise<OpenFile> {
  const fd = await openFd(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { fd, stats: await statFd(fd) };
  } catch (error) {
    close(fd, ignore);
    throw error;
  }
}

function closeUnused({ users, opening }: Entry): void {
  if (users === 0) opening.then(({ fd }) => close(fd, ignore), ignore);
}

/** Nothing was written through these: closing has nothing to tell. */
function ignore(): void {}
