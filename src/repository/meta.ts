/**
 * What Holdfast remembers beside the format: pins, proofs, known damage, what retention removed. restic never looks at `meta/`.
 *
 * One book per kind, `meta/<kind>/<id>`: a map from keys to entries, each entry with the time it was made, sealed like an index file and
 * named by the SHA-256 of its bytes. Every storage holds the books. A storage that was away holds an older one, two runs may write at the
 * same time: reading merges all objects of a kind from all storages, and per key the latest entry wins (a book may define its own merge).
 * Writing stores the merged book and then removes the objects it was made from. So nothing here needs a lock, a lost or damaged object
 * costs at most what only it said, and no backup depends on any of it.
 */
import { asFailure, type Failure, isFailure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { isJsonObject, type JsonObject, parseJsonObject } from '../base/json-object.ts';
import { decodeUnpacked } from './format/unpacked.ts';
import { idOfKey } from './keys.ts';
import { listAll, type Replica } from './replicas.ts';
import type { Repository } from './repository.ts';

export interface MetaEntry {
  /** Milliseconds since the epoch; a later entry of the same key takes the place of an earlier one. */
  readonly time: number;
}

/** A kind of book: how its entries are read and merged. */
export interface MetaBook<E extends MetaEntry> {
  readonly kind: string;
  /** The entry, or undefined for what makes no sense: it is passed over. */
  readonly parse: (value: Readonly<Record<string, unknown>>) => E | undefined;
  readonly merge?: (a: E, b: E) => E;
}

export type MetaEntries<E extends MetaEntry> = ReadonlyMap<string, E>;

/** Objects larger than this are not read: ten thousand points take about a megabyte. */
const MAX_SIZE = 64 * 1024 * 1024;
const MAX_OBJECTS = 256;

interface Loaded<E extends MetaEntry> {
  readonly entries: Map<string, E>;
  /** The objects read, with the storages that hold each. */
  readonly objects: ReadonlyMap<Id, number>;
}

export async function readMeta<E extends MetaEntry>(
  repository: Repository,
  book: MetaBook<E>,
): Promise<MetaEntries<E>> {
  return (await load(repository, book)).entries;
}

/**
 * Changes a book: `change` gets the merged entries and `stamp`, which gives the time for a new entry of a key (never before the one it
 * replaces, wrong clock or not). Returns the storages that could not take the book. Throws when none could.
 */
export async function updateMeta<E extends MetaEntry>(
  repository: Repository,
  book: MetaBook<E>,
  change: (entries: Map<string, E>, stamp: (key: string) => number) => void,
): Promise<ReadonlyMap<string, Failure>> {
  const { entries, objects } = await load(repository, book);
  const before = encode(entries);
  const now = repository.settings.clock.now();
  change(entries, (key) => Math.max(now, (entries.get(key)?.time ?? 0) + 1));
  const after = encode(entries);
  if (after === before && isSettled(repository, objects)) return new Map();
  const { id, bytes } = repository.sealUnpacked(after);
  const failures = new Map<string, Failure>();
  await Promise.all(
    repository.replicas.map(async (replica) => {
      try {
        await replica.store.put(keyOf(book.kind, id), bytes, repository.callOptions);
        await removeOld(repository, replica, book.kind, objects);
      } catch (error) {
        repository.settings.signal?.throwIfAborted();
        failures.set(replica.name, asFailure(error, 'storage_unreachable'));
      }
    }),
  );
  const [first] = failures.values();
  if (first !== undefined && failures.size === repository.replicas.length) throw first;
  return failures;
}

/** Whether one object, held by all, says everything. */
function isSettled(repository: Repository, objects: ReadonlyMap<Id, number>): boolean {
  const masks = [...objects.values()];
  return masks.length === 0 || (masks.length === 1 && masks[0] === repository.all);
}

async function removeOld(
  repository: Repository,
  replica: Replica,
  kind: string,
  objects: ReadonlyMap<Id, number>,
): Promise<void> {
  for (const [id, mask] of objects) {
    if ((mask & replica.bit) === 0) continue;
    // What cannot be removed (object lock) is merged again next time, and loses again.
    await replica.store.delete(keyOf(kind, id), repository.callOptions).catch(() => {});
  }
}

async function load<E extends MetaEntry>(repository: Repository, book: MetaBook<E>): Promise<Loaded<E>> {
  const objects = await findObjects(repository, book.kind);
  const entries = new Map<string, E>();
  for (const [id, mask] of objects) {
    const text = await readObject(repository, book.kind, id, mask);
    if (text !== undefined) mergeInto(entries, text, book);
  }
  return { entries, objects };
}

async function findObjects(repository: Repository, kind: string): Promise<Map<Id, number>> {
  const found = new Map<Id, number>();
  await Promise.all(
    repository.replicas.map(async (replica) => {
      const objects = await tolerate(repository, replica, `meta/${kind}/`, () =>
        listAll(replica.store, `meta/${kind}/`, repository.callOptions),
      );
      for (const { key, size } of objects ?? []) {
        const id = idOfKey(key);
        if (id === undefined || size > MAX_SIZE || (!found.has(id) && found.size >= MAX_OBJECTS)) continue;
        found.set(id, ((found.get(id) ?? 0) | replica.bit) >>> 0);
      }
    }),
  );
  return found;
}

async function readObject(repository: Repository, kind: string, id: Id, mask: number): Promise<string | undefined> {
  try {
    const open = (bytes: Uint8Array) => decodeUnpacked(repository.openNamed(bytes, id), MAX_SIZE);
    return await repository.read(mask, keyOf(kind, id), open);
  } catch (error) {
    repository.settings.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return undefined;
  }
}

async function tolerate<T>(
  repository: Repository,
  replica: Replica,
  key: string,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    repository.settings.signal?.throwIfAborted();
    repository.settings.onProblem?.({ storage: replica.name, key, failure: asFailure(error, 'storage_unreachable') });
    return undefined;
  }
}

function mergeInto<E extends MetaEntry>(entries: Map<string, E>, text: string, { parse, merge = latest }: MetaBook<E>) {
  for (const [key, value] of Object.entries(parseEntries(text))) {
    if (!isJsonObject(value) || !Number.isSafeInteger(value.time)) continue;
    const entry = parse(value);
    if (entry === undefined) continue;
    const known = entries.get(key);
    entries.set(key, known === undefined ? entry : merge(known, entry));
  }
}

function latest<E extends MetaEntry>(a: E, b: E): E {
  return b.time > a.time ? b : a;
}

/** Nothing from an object that is not ours. */
function parseEntries(text: string): JsonObject {
  const entries = parseJsonObject(text)?.entries;
  return isJsonObject(entries) ? entries : {};
}

function encode(entries: MetaEntries<MetaEntry>): string {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ format: 1, entries: Object.fromEntries(sorted) });
}

function keyOf(kind: string, id: Id): string {
  return `meta/${kind}/${id}`;
}
