/** The record of loose WAL that retention removed: per storage, cluster and timeline, up to which position, by which rule. */
import { formatLsn } from '../../postgres/lsn.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from '../../repository/meta.ts';
import type { Repository } from '../../repository/repository.ts';
import type { LooseRemoval } from './prune.ts';

export interface WalRemoval extends MetaEntry {
  readonly storage: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** As PostgreSQL writes positions. */
  readonly upTo: string;
  readonly pieces: number;
  readonly why: string;
}

/** The record keeps this many. */
const MAX_RECORDS = 20_000;

const REMOVALS: MetaBook<WalRemoval> = {
  kind: 'wal-removals',
  parse: (value) => {
    const { storage, systemIdentifier, upTo, why, timeline, pieces } = value;
    const isText = [storage, systemIdentifier, upTo, why].every((text) => typeof text === 'string');
    const isCount = Number.isSafeInteger(timeline) && Number.isSafeInteger(pieces);
    return isText && isCount ? (value as unknown as WalRemoval) : undefined;
  },
};

/** Oldest first. */
export async function readWalRemovals(repository: Repository): Promise<readonly WalRemoval[]> {
  return [...(await readMeta(repository, REMOVALS)).values()].sort((a, b) => a.time - b.time);
}

/** To be called before the removal itself. */
export async function recordWalRemovals(
  repository: Repository,
  removals: readonly LooseRemoval[],
  why: string,
): Promise<void> {
  if (removals.length === 0) return;
  await updateMeta(repository, REMOVALS, (entries, stamp) => {
    for (const { storage, archive, pieces } of removals)
      for (const [timeline, own] of Map.groupBy(pieces, ({ piece }) => piece.timeline)) {
        const { systemIdentifier } = archive;
        const upTo = formatLsn(own.at(-1)!.piece.end);
        const key = `${storage} ${systemIdentifier} ${timeline} ${upTo}`;
        entries.set(key, { time: stamp(key), storage, systemIdentifier, timeline, upTo, pieces: own.length, why });
      }
    const surplus = [...entries].sort(([, a], [, b]) => b.time - a.time).slice(MAX_RECORDS);
    for (const [key] of surplus) entries.delete(key);
  });
}
