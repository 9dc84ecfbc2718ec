/**
 * Known damage: what a check found wrong with the objects of a storage, so that `sync` heals it without hashing everything again.
 *
 * An entry is closed, not removed, when the object is whole again: a storage that was away may still hold the open one. Closed entries
 * are dropped after 90 days. `sync` looks at an object again before it replaces it, so an entry that is out of date costs one read.
 */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

/**
 * `missing`: not there; `size`: longer or shorter than the index says; `damaged`: the bytes do not hash to their name; `content`: they do,
 * but what is inside is wrong; `unreadable`: the storage could not give it; `incomplete` (of a point): the storage lacks some of its blobs.
 */
export const DAMAGE_KINDS = ['missing', 'size', 'damaged', 'content', 'unreadable', 'incomplete'] as const;
export type DamageKind = (typeof DAMAGE_KINDS)[number];

export interface Damage {
  readonly storage: string;
  readonly key: string;
  readonly what: DamageKind;
  /** For people. */
  readonly detail: string;
  /** The points of this storage that cannot be restored whole from it. */
  readonly points: readonly Id[];
}

interface DamageEntry extends MetaEntry, Damage {
  readonly open: boolean;
}

const KEEP_CLOSED_MS = 90 * 24 * 3600_000;
const MAX_POINTS = 100_000;
const KEY = /^(?:[a-z]+(?:\/[0-9a-f]{2})?(?:\/[0-9a-f]{64})?|wal\/[0-9a-z./-]{1,250})$/;

const DAMAGE: MetaBook<DamageEntry> = { kind: 'damage', parse: parseDamage };

function parseDamage(value: Readonly<Record<string, unknown>>): DamageEntry | undefined {
  const { time, storage, key, what, detail, points, open } = value;
  const known = DAMAGE_KINDS.find((kind) => kind === what);
  if (typeof storage !== 'string' || typeof key !== 'string' || !KEY.test(key) || known === undefined) return undefined;
  if (typeof detail !== 'string' || typeof open !== 'boolean' || !Array.isArray(points)) return undefined;
  const ids = points.slice(0, MAX_POINTS).filter((point): point is Id => typeof point === 'string' && isId(point));
  return { time: time as number, storage, key, what: known, detail, points: ids, open };
}

/** All damage that is known and not healed yet. */
export async function readDamage(repository: Repository): Promise<readonly Damage[]> {
  const entries = [...(await readMeta(repository, DAMAGE)).values()];
  return entries
    .filter(({ open }) => open)
    .map(({ storage, key, what, detail, points }) => ({ storage, key, what, detail, points }));
}

/**
 * Records what was found, and closes what turned out to be whole: entries for which `isWhole` says so.
 * A storage that cannot take the record is no failure here; the others have it.
 */
export async function recordDamage(
  repository: Repository,
  found: readonly Damage[],
  isWhole: (known: Damage) => boolean,
): Promise<void> {
  await updateMeta(repository, DAMAGE, (entries, stamp) => {
    const present = new Set(found.map(entryKey));
    for (const [key, entry] of entries) {
      if (!entry.open && repository.settings.clock.now() - entry.time > KEEP_CLOSED_MS) entries.delete(key);
      else if (entry.open && !present.has(key) && isWhole(entry))
        entries.set(key, { ...entry, points: [], time: stamp(key), open: false });
    }
    for (const damage of found) {
      const key = entryKey(damage);
      if (isSame(entries.get(key), damage)) continue;
      entries.set(key, { ...damage, time: stamp(key), open: true });
    }
  });
}

function entryKey({ storage, key }: Damage): string {
  return `${storage} ${key}`;
}

function isSame(known: DamageEntry | undefined, damage: Damage): boolean {
  if (known === undefined || !known.open || known.what !== damage.what) return false;
  return known.points.length === damage.points.length && known.points.every((point) => damage.points.includes(point));
}
