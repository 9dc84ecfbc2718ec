/**
 * Extended attributes of many files, in the order in which they are asked for, with one process tree for a whole walk.
 *
 * `xargs -0 -n 1024` starts one `getfattr` for every 1,024 paths it is sent and prints a zero byte after each, which cannot occur in a dump.
 * Requests are filled up to 1,024 with empty paths (getfattr complains about them on its discarded stderr), and are cut so short that
 * xargs never has a reason to split them. So every request is answered by exactly one zero byte, without delay.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Notify } from '../entry.ts';
import { byteString } from './byte-names.ts';
import { parseDump, type Xattr } from './xattr-dump.ts';
import { hasProgram, INSTALL_HINT } from './xattr-programs.ts';

const PATHS_PER_CALL = 1024;
/** Below xargs's own limit of 128 KiB per command line. */
const BYTES_PER_CALL = 96 * 1024;
/** One answer larger than this (in bytes) is taken for an attack, and attributes are given up. */
const LARGEST_ANSWER = 64 * 1024 * 1024;
const SCRIPT = 'getfattr -h -d -m - -e hex --absolute-names -- "$@"; printf "\\0"';

type Xattrs = readonly Xattr[];
type Child = ChildProcessByStdio<Writable, Readable, null>;

interface Request {
  readonly paths: readonly string[];
  readonly resolve: (answer: (Xattrs | undefined)[]) => void;
}

/** Opens a reader. When the programs are missing, one notice says that attributes are not kept and how to have them kept. */
export async function openXattrReader(notify: Notify): Promise<XattrReader | undefined> {
  if (await hasProgram('getfattr')) return new XattrReader(notify);
  notify({ kind: 'note', item: 'extended attributes', reason: `they are not kept; to keep them, ${INSTALL_HINT}` });
  return undefined;
}

export class XattrReader implements AsyncDisposable {
  readonly #notify: Notify;
  readonly #waiting: Request[] = [];
  readonly #ended: Promise<void>;
  readonly #child: Child;
  #chunks: Buffer[] = [];
  #length = 0;
  #failed = false;

  constructor(notify: Notify) {
    this.#notify = notify;
    const args = ['-0', '-n', String(PATHS_PER_CALL), 'sh', '-c', SCRIPT, 'sh'];
    this.#child = spawn('xargs', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child.stdin.on('error', () => {}); // the end of the process says it
    this.#child.stdout.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve());
      this.#child.once('close', () => resolve());
    });
    void this.#ended.then(() => this.#fail());
  }

  /** The attributes of each path, aligned with `paths`; undefined for one that has none or is gone. Never rejects. */
  read(paths: readonly Buffer[]): Promise<(Xattrs | undefined)[]> {
    return this.readByteStrings(paths.map(byteString));
  }

  /** The same, for paths that are byte strings already. */
  async readByteStrings(paths: readonly string[]): Promise<(Xattrs | undefined)[]> {
    const calls = slices(paths).map((part) => this.#call(part));
    return (await Promise.all(calls)).flat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#failed ||= this.#waiting.length === 0; // an orderly end is no failure
    this.#child.stdin.end();
    if (this.#waiting.length > 0) this.#child.kill();
    await this.#ended;
  }

  #call(paths: readonly string[]): Promise<(Xattrs | undefined)[]> {
    return new Promise((resolve) => {
      if (this.#failed) return resolve(paths.map(() => undefined));
      this.#waiting.push({ paths, resolve });
      const padding = '\0'.repeat(PATHS_PER_CALL - paths.length);
      this.#child.stdin.write(`${paths.join('\0')}\0${padding}`, 'latin1');
    });
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(0); end >= 0; end = chunk.indexOf(0, start)) {
      this.#chunks.push(chunk.subarray(start, end));
      this.#answer(Buffer.concat(this.#chunks).toString('latin1'));
      this.#chunks = [];
      this.#length = 0;
      start = end + 1;
    }
    this.#chunks.push(chunk.subarray(start));
    this.#length += chunk.length - start;
    if (this.#length > LARGEST_ANSWER) this.#child.kill();
  }

  #answer(dump: string): void {
    const request = this.#waiting.shift();
    const found = new Map(parseDump(dump).map((section) => [section.path, section.xattrs]));
    request?.resolve(request.paths.map((path) => (found.size === 0 ? undefined : found.get(path))));
  }

  #fail(): void {
    if (!this.#failed) {
      const reason = 'reading them failed; those of the files after this are not kept';
      this.#notify({ kind: 'note', item: 'extended attributes', reason });
    }
    this.#failed = true;
    for (const request of this.#waiting.splice(0)) request.resolve(request.paths.map(() => undefined));
  }
}

/** Cuts a list of paths into requests of at most PATHS_PER_CALL paths and BYTES_PER_CALL bytes. */
function slices(paths: readonly string[]): string[][] {
  const parts: string[][] = [];
  let bytes = 0;
  for (const path of paths) {
    const last = parts.at(-1);
    if (last === undefined || last.length === PATHS_PER_CALL || bytes + path.length > BYTES_PER_CALL) {
      parts.push([path]);
      bytes = path.length;
    } else {
      last.push(path);
      bytes += path.length + 1;
    }
  }
  return parts;
}
