/**
 * Copies of the service's catalog: the newest few, sealed like everything else, in every storage. A book says when each was made; the
 * copies are objects of their own, `meta/catalog-copies/<id>`, named by the SHA-256 of their bytes. All of them may be lost: the service
 * then begins with an empty catalog.
 */
import { asFailure, Failure, isFailure } from '../base/failure.ts';
import { type Id, isId } from '../base/ids.ts';
import { decodeUnpacked } from './format/unpacked.ts';
import { idOfKey } from './keys.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import { listAll, type Replica } from './replicas.ts';
import type { Repository } from './repository.ts';

export interface CatalogCopy {
  readonly id: Id;
  /** ms since the epoch. */
  readonly time: number;
  readonly rows: number;
}

interface Entry extends MetaEntry {
  readonly rows: number;
}

/** Copies that are kept. */
const KEPT = 3;
/** Bytes of text. */
const MAX_SIZE = 64 * 1024 * 1024;
const FOLDER = 'meta/catalog-copies/';

const COPIES: MetaBook<Entry> = {
  kind: 'catalog',
  parse: ({ time, rows }) => (Number.isSafeInteger(rows) ? { time: time as number, rows: rows as number } : undefined),
};

/** The newest first. */
async function listCatalogCopies(repository: Repository): Promise<readonly CatalogCopy[]> {
  const entries = [...(await readMeta(repository, COPIES))];
  return entries
    .flatMap(([id, { time, rows }]) => (isId(id) ? [{ id, time, rows }] : []))
    .sort((a, b) => b.time - a.time);
}

/** Stores a copy on every storage that takes it and lets the oldest go. Throws when none takes it. */
export async function storeCatalogCopy(repository: Repository, text: string, rows: number): Promise<Id> {
  if (Buffer.byteLength(text) > MAX_SIZE)
    throw new Failure('catalog_failed', 'The catalog is too large to be kept in the repository.', {
      hint: 'Copy it yourself: holdfast catalog export FILE',
    });
  const { id, bytes } = repository.sealUnpacked(text);
  await onEach(repository, ({ store }) => store.put(FOLDER + id, bytes, repository.callOptions));
  let kept = new Set<string>();
  await updateMeta(repository, COPIES, (entries, stamp) => {
    entries.set(id, { time: stamp(id), rows });
    const newest = [...entries].sort(([, a], [, b]) => b.time - a.time);
    for (const [old] of newest.slice(KEPT)) entries.delete(old);
    kept = new Set(entries.keys());
  });
  await onEach(repository, (replica) => removeOthers(repository, replica, kept)).catch(ignoreFailure); // the next one tries again
  return id;
}

/** The newest copy that some storage can give, or the one that is named. */
export async function readCatalogCopy(
  repository: Repository,
  wanted?: Id,
): Promise<(CatalogCopy & { readonly text: string }) | undefined> {
  const copies = (await listCatalogCopies(repository)).filter(({ id }) => wanted === undefined || id === wanted);
  let failure: unknown;
  for (const copy of copies) {
    try {
      return { ...copy, text: await readText(repository, copy.id) };
    } catch (error) {
      repository.settings.signal?.throwIfAborted();
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return undefined;
}

function readText(repository: Repository, id: Id): Promise<string> {
  const open = (bytes: Uint8Array) => decodeUnpacked(repository.openNamed(bytes, id), MAX_SIZE);
  return repository.read(repository.all, FOLDER + id, open);
}

async function removeOthers(repository: Repository, { store }: Replica, kept: ReadonlySet<string>): Promise<void> {
  for (const { key } of await listAll(store, FOLDER, repository.callOptions)) {
    const id = idOfKey(key);
    if (id !== undefined && !kept.has(id)) await store.delete(key, repository.callOptions);
  }
}

/** Throws the first failure when every storage failed. */
async function onEach(repository: Repository, work: (replica: Replica) => Promise<void>): Promise<void> {
  const results = await Promise.allSettled(repository.replicas.map(work));
  repository.settings.signal?.throwIfAborted();
  const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  if (failures.length === results.length) throw asFailure(failures[0], 'storages_failed');
}

function ignoreFailure(error: unknown): void {
  if (!isFailure(error)) throw error;
}
