/** The restore points as the repository keeps them: snapshots, with the storages that hold each. */
import { atOnce } from '../base/at-once.ts';
import { asFailure, Failure } from '../base/failure.ts';
import type { Id } from '../base/ids.ts';
import { nearest } from '../base/suggest.ts';
import { parseSnapshot, type Snapshot } from './format/snapshot.ts';
import type { Repository } from './repository.ts';

export type { Snapshot } from './format/snapshot.ts';

export interface StoredSnapshot {
  readonly id: Id;
  readonly snapshot: Snapshot;
  /** The storages that hold it. */
  readonly mask: number;
}

export interface SnapshotList {
  /** Oldest first. */
  readonly snapshots: readonly StoredSnapshot[];
  /** Snapshot objects that no storage could give whole. */
  readonly damaged: readonly { readonly id: Id; readonly mask: number; readonly failure: Failure }[];
}

const PARALLEL = 8;

export async function listSnapshots(repository: Repository): Promise<SnapshotList> {
  const snapshots: StoredSnapshot[] = [];
  const damaged: { id: Id; mask: number; failure: Failure }[] = [];
  await atOnce(PARALLEL, await repository.presence('snapshots'), async ([id, mask]) => {
    try {
      snapshots.push({ id, mask, snapshot: parseSnapshot(await repository.readUnpacked('snapshots', id, mask)) });
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'data_damaged' && failure.code !== 'data_missing') throw failure;
      damaged.push({ id, mask, failure });
    }
  });
  snapshots.sort((a, b) => timeOf(a) - timeOf(b) || (a.id < b.id ? -1 : 1));
  return { snapshots, damaged };
}

/** Milliseconds since the epoch. */
export function timeOf({ snapshot }: StoredSnapshot): number {
  return Date.parse(snapshot.time);
}

/** The one snapshot whose id begins with `prefix`; `latest` is the newest. */
export function pickSnapshot(snapshots: readonly StoredSnapshot[], prefix: string): StoredSnapshot {
  const newest = snapshots.at(-1);
  if (prefix === 'latest') {
    if (newest === undefined)
      throw new Failure('point_unknown', 'There is no restore point yet.', {
        hint: 'Make one with "holdfast backup".',
      });
    return newest;
  }
  const matches = /^[0-9a-f]{1,64}$/.test(prefix) ? snapshots.filter(({ id }) => id.startsWith(prefix)) : [];
  if (matches.length > 1)
    throw new Failure('point_ambiguous', `${matches.length} restore points begin with "${prefix}".`, {
      hint: 'Give more digits.',
    });
  if (matches[0] === undefined) {
    const hint =
      nearest(prefix, ['latest']) === undefined ? 'List the points with "holdfast points".' : 'Did you mean "latest"?';
    throw new Failure('point_unknown', `There is no restore point "${prefix}".`, { hint });
  }
  return matches[0];
}
