/**
 * Which files a list of paths chooses.
 *
 * - A path names one file, or a directory (then everything below it), or is a glob (`conf.d/*.conf`, `/etc/nginx/**`).
 * - Relative paths are relative to `base` and are stored as they are written; all others are stored as absolute ones without the
 *   leading slash.
 * - A symbolic link to a file is read through. Inside a directory, links to directories are not followed.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { isAbsolute, join, normalize, relative, resolve } from 'node:path';
import picomatch from 'picomatch';
import { errno } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import type { Notify } from '../entry.ts';
import { reasonOf } from '../system-errors.ts';

export interface Chosen {
  /** Absolute. */
  readonly path: string;
  /** Where it stands in the restore point: relative, `/`-separated, without `.` or `..`. */
  readonly stored: string;
}

/** More entries than this are not configuration. */
const MAX_ENTRIES = 10_000;

/** The chosen files, each once, in the order of `paths` and within one of them by name. */
export async function chooseFiles(paths: readonly string[], base: string, notify: Notify): Promise<Chosen[]> {
  const chosen = new Map<string, Chosen>();
  for (const path of paths) {
    for (const one of await expand(path, base, notify)) {
      const taken = chosen.get(one.stored);
      if (taken === undefined) chosen.set(one.stored, one);
      else if (taken.path !== one.path) notify(conflict(one, taken));
    }
  }
  return [...chosen.values()];
}

async function expand(path: string, base: string, notify: Notify): Promise<Chosen[]> {
  const absolute = resolve(base, path);
  const storedAt = placing(path, base);
  const kind = await kindOf(absolute);
  if (kind === 'file') return [{ path: absolute, stored: storedAt(absolute) }];
  const files = kind === 'directory' ? await filesBelow(absolute, notify) : await filesMatching(path, base, notify);
  return files.map((file) => ({ path: file, stored: storedAt(file) }));
}

/** Where the files that `path` chooses are stored. */
function placing(path: string, base: string): (file: string) => string {
  const within = !isAbsolute(path) && !normalize(path).startsWith('..');
  return (file) => (within ? relative(base, file) : file.replace(/^\//, ''));
}

async function filesMatching(path: string, base: string, notify: Notify): Promise<string[]> {
  const { base: fixed, isGlob } = picomatch.scan(path);
  if (!isGlob) {
    notify({ kind: 'unreadable', item: printable(path), reason: 'there is no such file' });
    return [];
  }
  const matches = picomatch(resolveGlob(path, fixed, base), { dot: true, nonegate: true, noextglob: true, flags: 's' });
  const directory = resolve(base, fixed);
  const files =
    (await kindOf(directory)) === 'directory'
      ? (await filesBelow(directory, notify)).filter((file) => matches(file))
      : [];
  if (files.length === 0) notify({ kind: 'note', item: printable(path), reason: 'no file matches this pattern' });
  return files;
}

/** The glob as an absolute one; what `base` is called is taken literally. */
function resolveGlob(path: string, fixed: string, base: string): string {
  const literal = resolve(base, fixed).replace(/[\\*?[\]{}()!+@|]/g, '\\$&');
  return join(literal, path.slice(fixed.length));
}

/** Every file below `directory`, by name. */
async function filesBelow(directory: string, notify: Notify): Promise<string[]> {
  const files: string[] = [];
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entries = await list(next, notify);
    for (const entry of entries) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) waiting.push(path);
      else files.push(path);
    }
    if (files.length + waiting.length > MAX_ENTRIES) throw tooMany(directory);
  }
  return files.sort();
}

async function list(directory: string, notify: Notify): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    notify({ kind: 'unreadable', item: printable(directory), reason: reasonOf(error) });
    return [];
  }
}

async function kindOf(path: string): Promise<'file' | 'directory' | undefined> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    // What exists and cannot be looked at is told when it is opened.
    return errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR' ? undefined : 'file';
  }
}

function conflict(one: Chosen, taken: Chosen) {
  const reason = `it would be stored at the same place as ${printable(taken.path)}; name both by absolute paths`;
  return { kind: 'unreadable', item: printable(one.path), reason } as const;
}

function tooMany(directory: string): Failure {
  return new Failure('config_invalid', `There are more than ${MAX_ENTRIES} files below ${printable(directory)}.`, {
    hint: 'A source of type "config" is for chosen files. Name them more closely, or protect the directory with a source of type "files".',
  });
}
