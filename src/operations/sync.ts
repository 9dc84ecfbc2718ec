/** Brings the storages level, heals what is damaged, rebuilds a storage that was wiped. */
import { asFailure, type Failure, isFailure } from '../base/failure.ts';
import { type Damage, recordDamage } from '../repository/meta-damage.ts';
import { pruneStorages } from '../repository/prune.ts';
import type { Repository } from '../repository/repository.ts';
import { type SyncReport, syncStorages } from '../repository/sync.ts';
import { bestEffort } from './best-effort.ts';
import { assertOwnPlace } from './foreign-place.ts';
import { rememberPlaces } from './places.ts';
import type { Session } from './session.ts';
import { syncWal, type WalSync } from './wal/sync.ts';

export type { SyncReport } from '../repository/sync.ts';

export interface SyncInput {
  /** One storage; all when left out. */
  readonly storage?: string;
  /** Read everything to find damage, not only what listings and the last check show. */
  readonly readData?: boolean;
  /** Storages may lie on another file system than until now. */
  readonly moved?: boolean;
}

export interface SyncOutcome extends SyncReport {
  /** By storage: what came of the WAL archive; absent where there is none. */
  readonly wal: ReadonlyMap<string, WalSync>;
}

export async function sync(
  session: Session,
  { storage, readData = false, moved = false }: SyncInput = {},
): Promise<SyncOutcome> {
  const { repository, progress } = session;
  const refused = await occupied(repository);
  const failure = storage === undefined ? undefined : refused.get(storage);
  if (failure !== undefined) throw failure;
  const names = [...repository.replicas, ...repository.lost]
    .map(({ name }) => name)
    .filter((name) => !refused.has(name));
  const points = await syncStorages(repository, {
    ...{ readData, progress, moved },
    ...(storage !== undefined ? { storages: [storage] } : refused.size > 0 ? { storages: names } : {}),
  });
  const wal = await syncWal(session, new Set(points.storages.keys()), readData);
  const report = {
    ...points,
    failures: new Map([...refused, ...points.failures, ...wal.failures]),
    remaining: [...points.remaining, ...wal.remaining],
    wal: wal.storages,
  };
  const remember = (remaining: readonly Damage[]) =>
    bestEffort(session, 'What was healed could not be recorded', () =>
      recordDamage(repository, remaining, (known) => report.storages.has(known.storage)),
    );
  await remember(report.remaining);
  await rememberPlaces(session, new Set(report.storages.keys()));
  const remaining = await retireSuperseded(session, report.remaining);
  if (remaining.length < report.remaining.length) await remember(remaining);
  return { ...report, remaining };
}

/** Storages without a repository whose directory holds files of something else: nothing is brought there. */
async function occupied({ lost }: Repository): Promise<Map<string, Failure>> {
  const found = new Map<string, Failure>();
  const all = lost.map(({ store }) => store);
  for (const { name, store, failure } of lost) {
    if (!isFailure(failure, 'repository_missing')) continue;
    await assertOwnPlace(store, all).catch((error: unknown) => found.set(name, asFailure(error)));
  }
  return found;
}

/**
 * Damaged packs of which no storage has a good copy, while everything that is needed of them now stands elsewhere on the same storage, are
 * taken out of its index and removed. Returns the damage that is left. A storage that another run uses keeps them until the next time.
 */
async function retireSuperseded(session: Session, remaining: readonly Damage[]): Promise<readonly Damage[]> {
  const { repository, progress } = session;
  const packs = remaining.filter(({ key, points }) => key.startsWith('data/') && points.length === 0);
  if (packs.length === 0) return remaining;
  try {
    await pruneStorages(repository, { decide: async () => [], onlyDamaged: true, progress });
  } catch (error) {
    if (!isFailure(error, 'locked')) throw error;
    return remaining;
  }
  const gone = new Set<Damage>();
  for (const damage of packs) {
    const store = repository.replica(damage.storage)?.store;
    if (store !== undefined && (await store.stat(damage.key)) === undefined) gone.add(damage);
  }
  return remaining.filter((damage) => !gone.has(damage));
}
