/** Whether a directory that is to become a storage belongs to something else: backups are not mixed with other people's files. */
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Failure } from '../base/failure.ts';
import { printable } from '../base/printable.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** What a repository, whole or begun, has at its top, and how the names below look; what is being written ends with `-tmp-…`. */
const BY_ID = /^[0-9a-f]{64}(?:-tmp-[0-9a-f]+)?$/;
const OURS: ReadonlyMap<string, RegExp> = new Map([
  ['data', /^[0-9a-f]{2}$/],
  ...['index', 'keys', 'locks', 'snapshots'].map((name) => [name, BY_ID] as const),
  ...['meta', 'probe', 'wal', 'tmp'].map((name) => [name, /./] as const),
]);
const BEING_WRITTEN = /-tmp-[0-9a-f]+$/;

/** What file systems, network stores and desktops put into every directory, or into the top one of a disk. */
const EVERYWHERE = /^(?:[.@#].*|lost\+found|System Volume Information|\$RECYCLE\.BIN)$/i;

/** Names that are listed in the message. */
const SHOWN = 3;

/**
 * Throws `storage_not_empty` when the directory of `store`, which holds no config of a repository, holds something that no repository has.
 * A storage that is no directory, or whose directory is not there or cannot be read, is somebody else's to judge.
 */
export async function assertOwnPlace(store: ObjectStore, all: readonly ObjectStore[]): Promise<void> {
  if (store.mountPoint === undefined) return;
  const others = all.filter((other) => other !== store && other.mountPoint !== undefined);
  const foreign: string[] = [];
  for (const entry of await entriesOf(store.location)) {
    const { name } = entry;
    if (EVERYWHERE.test(name) || BEING_WRITTEN.test(name)) continue;
    if (others.some(({ location }) => isWithin(location, join(store.location, name)))) continue;
    if (!entry.isDirectory() || !(await isOurs(store.location, name))) foreign.push(name);
  }
  if (foreign.length > 0) throw notEmpty(store, foreign);
}

async function isOurs(directory: string, name: string): Promise<boolean> {
  const below = OURS.get(name);
  if (below === undefined) return false;
  return (await entriesOf(join(directory, name))).every(
    (entry) => EVERYWHERE.test(entry.name) || below.test(entry.name),
  );
}

function entriesOf(directory: string) {
  return readdir(directory, { withFileTypes: true }).catch(() => []);
}

function isWithin(path: string, outer: string): boolean {
  const below = relative(outer, path);
  return !below.startsWith('..');
}

function notEmpty({ name, location }: ObjectStore, foreign: readonly string[]): Failure {
  const shown = foreign.slice(0, SHOWN).map(printable).join(', ');
  const more = foreign.length > SHOWN ? ` and ${foreign.length - SHOWN} more` : '';
  return new Failure('storage_not_empty', `${name}: ${location} holds files of something else (${shown}${more}).`, {
    hint: `Nothing was written there. Give storage "${name}" a directory of its own: a new one, or one below it.`,
    details: { storage: name, found: foreign.length },
  });
}
