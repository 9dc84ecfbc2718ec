/**
 * What was removed, when, from where, and by which rule: shown by `prune --history`, and what keeps `sync` from bringing a point back to
 * a storage whose retention removed it.
 */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

export interface Removal {
  readonly point: Id;
  readonly storage: string;
  readonly app: string;
  /** RFC 3339, of the point. */
  readonly pointTime: string;
  /** `prune`: a rule of retention; `forget`: an operator. */
  readonly by: 'prune' | 'forget';
  /** For people: the rule, or who asked for it. */
  readonly why: string;
}

export interface RecordedRemoval extends Removal, MetaEntry {}

/** The history keeps this many of the newest removals. */
const MAX_RECORDS = 50_000;

const REMOVALS: MetaBook<RecordedRemoval> = { kind: 'removals', parse: parseRemoval };

function parseRemoval(value: Readonly<Record<string, unknown>>): RecordedRemoval | undefined {
  const { time, point, storage, app, pointTime, by, why } = value;
  const texts = [point, storage, app, pointTime, why];
  if (!texts.every((text) => typeof text === 'string') || !isId(point as string)) return undefined;
  if (by !== 'prune' && by !== 'forget') return undefined;
  return { time, point, storage, app, pointTime, why, by } as RecordedRemoval;
}

/** Every removal on record, oldest first. */
export async function readRemovals(repository: Repository): Promise<readonly RecordedRemoval[]> {
  return [...(await readMeta(repository, REMOVALS)).values()].sort((a, b) => a.time - b.time);
}

/** To be called before the removal itself: what is on record and still there is removed by the next run, never the other way round. */
export async function recordRemovals(repository: Repository, removals: readonly Removal[]): Promise<void> {
  if (removals.length === 0) return;
  await updateMeta(repository, REMOVALS, (entries, stamp) => {
    for (const removal of removals) {
      const key = removalKey(removal.point, removal.storage);
      entries.set(key, { ...removal, time: stamp(key) });
    }
    const surplus = entries.size - MAX_RECORDS;
    if (surplus <= 0) return;
    const oldest = [...entries].sort(([, a], [, b]) => a.time - b.time).slice(0, surplus);
    for (const [key] of oldest) entries.delete(key);
  });
}

/** Which points were removed from which storages on purpose. */
export class RemovalSet {
  readonly #removals: ReadonlyMap<string, RecordedRemoval>;

  constructor(removals: readonly RecordedRemoval[]) {
    this.#removals = new Map(removals.map((removal) => [removalKey(removal.point, removal.storage), removal]));
  }

  find(point: Id, storage: string): RecordedRemoval | undefined {
    return this.#removals.get(removalKey(point, storage));
  }
}

function removalKey(point: Id, storage: string): string {
  return `${point} ${storage}`;
}
