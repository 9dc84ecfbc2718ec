/**
 * Heads of the service's audit log: the number and hash of its newest entry, as they were when a copy of the catalog was kept. Whoever can
 * write the catalog can write a new log, but not these. A rewritten entry changes every hash after it, so any later head tells; older ones only
 * narrow down where. A person may say that the log is another one from now on: then only what was kept since counts.
 */
import type { Failure } from '../base/failure.ts';
import { asFailure } from '../base/failure.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import { listAll } from './replicas.ts';
import type { Repository } from './repository.ts';

export interface AuditHeadEntry extends MetaEntry {
  /** `beginning`: what stands before the first entry of a copy that was too long to be kept whole. `accepted`: by a person. */
  readonly kind: 'head' | 'beginning' | 'accepted';
  readonly seq: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
  /** Who accepted it, and why; else empty. */
  readonly by: string;
  readonly why: string;
}

export interface KeptAuditHeads {
  /** Oldest first. */
  readonly entries: readonly AuditHeadEntry[];
  /** Storages that were read. */
  readonly storages: readonly string[];
  /** Those that could not be. */
  readonly unread: ReadonlyMap<string, Failure>;
}

const KIND = 'audit';
const HASH = /^[0-9a-f]{64}$/;
const KINDS = ['head', 'beginning', 'accepted'] as const;
const LONGEST = 500;
/** Newest that stay; of the older heads the last of each day, for so many days. */
const MOST = { head: 50, beginning: 10, accepted: 20, days: 400 };
const DAY = 86_400_000;

const HEADS: MetaBook<AuditHeadEntry> = { kind: KIND, parse };

/** Never fails for a storage that cannot be read: it is named. */
export async function readAuditHeads(repository: Repository): Promise<KeptAuditHeads> {
  const { signal } = repository.settings;
  const unread = new Map<string, Failure>(repository.lost.map(({ name, failure }) => [name, failure]));
  const storages: string[] = [];
  for (const { name, store } of repository.replicas) {
    try {
      await listAll(store, `meta/${KIND}/`, { signal });
      storages.push(name);
    } catch (error) {
      signal?.throwIfAborted();
      unread.set(name, asFailure(error, 'storage_unreachable'));
    }
  }
  const entries = [...(await readMeta(repository, HEADS)).values()].sort((a, b) => a.time - b.time || a.seq - b.seq);
  return { entries, storages, unread };
}

/** What is kept already stays as it is. Throws when no storage takes it. */
export async function storeAuditHeads(
  repository: Repository,
  heads: readonly Omit<AuditHeadEntry, 'time'>[],
): Promise<void> {
  await updateMeta(repository, HEADS, (entries, stamp) => {
    for (const head of heads) {
      const key = `${head.kind} ${head.seq} ${head.hash}`;
      if (head.kind === 'accepted' || !entries.has(key)) entries.set(key, { ...head, time: stamp(key) });
    }
    for (const key of surplus(entries)) entries.delete(key);
  });
}

function surplus(entries: ReadonlyMap<string, AuditHeadEntry>): string[] {
  const newest = [...entries].sort(([, a], [, b]) => b.time - a.time);
  const days = new Set<number>();
  const counts = { head: 0, beginning: 0, accepted: 0 };
  return newest.flatMap(([key, { kind, time }]) => {
    counts[kind] += 1;
    if (counts[kind] <= MOST[kind]) return [];
    const day = Math.floor(time / DAY);
    if (kind !== 'head' || days.has(day) || days.size >= MOST.days) return [key];
    days.add(day);
    return [];
  });
}

function parse(value: Readonly<Record<string, unknown>>): AuditHeadEntry | undefined {
  const { time, seq, hash, by, why } = value;
  const kind = KINDS.find((known) => known === value.kind);
  if (kind === undefined || !Number.isSafeInteger(seq) || typeof hash !== 'string' || !HASH.test(hash))
    return undefined;
  const text = (given: unknown) => (typeof given === 'string' ? given.slice(0, LONGEST) : '');
  return { time: time as number, kind, seq: seq as number, hash, by: text(by), why: text(why) };
}
