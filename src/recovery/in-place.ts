/** Restoring over what an app uses: which place each source has, and how the old state is brought back. */
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { Failure } from '../base/failure.ts';
import { shellCommand } from '../base/shell-words.ts';
import { MASK } from '../sources/config-source.ts';
import { originOf } from './in-place/config-paths.ts';
import { isMountPoint } from './in-place/mounts.ts';
import { exists, type Swap } from './in-place/swap.ts';

export { assertServerStopped } from './in-place/running-server.ts';
export { type Swap, swapAll } from './in-place/swap.ts';

/** Where a source is to go. */
export type Place =
  | { readonly source: string; readonly type: 'files' | 'postgres'; readonly path: string }
  | { readonly source: string; readonly type: 'config'; readonly paths: readonly string[]; readonly base: string };

/** A directory to be replaced, and where its new content is made. */
export interface DirectoryPlace {
  readonly source: string;
  readonly type: 'files' | 'postgres';
  /** Symbolic links followed: what is replaced is the directory itself. */
  readonly destination: string;
  readonly kind: 'directory' | 'children';
  /** The target of the restore; on the same file system as the destination. */
  readonly staging: string;
  readonly before: string;
  /** Whether there is something to be replaced. */
  readonly replaces: boolean;
}

/** `suffix` tells restores apart: staging `….holdfast-new-<point>`, old state `….holdfast-before-<time>`. */
export interface Suffixes {
  readonly point: string;
  readonly time: string;
}

/** Throws `target_unsafe` for what cannot be replaced. */
export async function directoryPlace(
  { source, type, path }: Extract<Place, { path: string }>,
  { point, time }: Suffixes,
): Promise<DirectoryPlace> {
  const destination = await resolveDestination(path);
  const present = await stat(destination).catch(() => undefined);
  const replaces = present !== undefined;
  if (replaces && !present.isDirectory()) throw unsafe(`${destination} is not a directory`);
  if (replaces && type === 'postgres') await assertDataDirectory(destination);
  const isMount = replaces && (await isMountPoint(destination));
  const beside = isMount ? join(destination, '.holdfast-') : `${destination}.holdfast-`;
  return {
    source,
    type,
    destination,
    kind: isMount ? 'children' : 'directory',
    staging: `${beside}new-${point}`,
    before: `${beside}before-${time}`,
    replaces,
  };
}

/** The swap that puts what was restored to the staging directory in place. */
export function directorySwap({ source, kind, destination, staging, before, replaces }: DirectoryPlace): Swap {
  return { source, kind, destination, restored: join(staging, source), before, replaces };
}

/** Refuses places inside one another: the second would replace part of the first. */
export function assertApart(places: readonly DirectoryPlace[]): void {
  for (const one of places) {
    for (const other of places) {
      if (one === other) continue;
      const way = relative(one.destination, other.destination);
      if (way === '' || !way.startsWith('..')) {
        throw unsafe(`${other.destination} (${other.source}) lies inside ${one.destination} (${one.source})`);
      }
    }
  }
}

export interface ConfigSwaps {
  readonly swaps: readonly Swap[];
  /** Files that stay as they are, and why. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/** The swaps for the files of a config source, restored below `staging/<source>`. */
export async function configSwaps(
  { source, paths, base }: Extract<Place, { type: 'config' }>,
  staging: string,
  { time }: Suffixes,
): Promise<ConfigSwaps> {
  const root = join(staging, source);
  const swaps: Swap[] = [];
  const refused: { path: string; reason: string }[] = [];
  for (const stored of await filesBelow(root, '')) {
    const restored = join(root, stored);
    const origin = originOf(stored, paths, base);
    if (origin === undefined) {
      refused.push({ path: `${source}/${stored}`, reason: 'the configuration no longer says where it belongs' });
    } else if ((await readFile(restored)).includes(MASK)) {
      refused.push({ path: origin, reason: 'secrets in it were masked when it was backed up; it would not work' });
    } else {
      // a directory that is gone is made again
      const destination = (await exists(dirname(origin))) ? await resolveDestination(origin) : origin;
      const before = `${destination}.holdfast-before-${time}`;
      swaps.push({ source, kind: 'file', destination, restored, before, replaces: await exists(destination) });
    }
  }
  return { swaps, refused };
}

/** The commands that bring the old state back, to be pasted into a shell. */
export function wayBack(swaps: readonly Swap[], time: string): string[] {
  return swaps.flatMap((swap) => {
    const { destination, before } = swap;
    if (swap.kind === 'children') return childrenBack(swap, time);
    const aside = shellCommand(['mv', '--', destination, `${destination}.holdfast-undone-${time}`]);
    return swap.replaces ? [aside, shellCommand(['mv', '--', before, destination])] : [aside];
  });
}

function childrenBack({ destination, before }: Swap, time: string): string[] {
  const aside = join(destination, `.holdfast-undone-${time}`);
  const moveAll = (from: string, to: string, ...except: readonly string[]) =>
    shellCommand([
      ...['find', from, '-mindepth', '1', '-maxdepth', '1'],
      ...except.flatMap((name) => ['!', '-name', name]),
      ...['-exec', 'mv', '-t', to, '--', '{}', '+'],
    ]);
  return [
    shellCommand(['mkdir', '--', aside]),
    moveAll(destination, aside, '.holdfast-*', 'lost+found'),
    moveAll(before, destination),
  ];
}

async function filesBelow(directory: string, above: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = above === '' ? entry.name : `${above}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await filesBelow(join(directory, entry.name), path)));
    else if (entry.isFile()) files.push(path);
  }
  return files.sort();
}

/** The real path of what is there, or of where it would be; the directory above must exist. */
async function resolveDestination(path: string): Promise<string> {
  if (await exists(path)) return realpath(path);
  const above = dirname(path);
  const real = await realpath(above).catch(() => undefined);
  if (real === undefined) throw unsafe(`${above} does not exist`);
  if (!(await lstat(real)).isDirectory()) throw unsafe(`${above} is not a directory`);
  return join(real, basename(path));
}

async function assertDataDirectory(path: string): Promise<void> {
  const names = await readdir(path);
  if (names.length === 0 || names.includes('PG_VERSION')) return;
  throw unsafe(`${path} holds something, but no PostgreSQL data directory`);
}

function unsafe(why: string): Failure {
  return new Failure('target_unsafe', `This cannot be replaced: ${why}.`, {
    hint: 'Nothing was changed. Restore into a new directory with --to and move things by hand.',
  });
}
