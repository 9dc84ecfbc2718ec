/** Brings the storages level, heals what is damaged, rebuilds a storage that was wiped. */
import { recordDamage } from '../repository/meta-damage.ts';
import { type SyncReport, syncStorages } from '../repository/sync.ts';
import { bestEffort } from './best-effort.ts';
import type { Session } from './session.ts';

export type { SyncReport } from '../repository/sync.ts';

export interface SyncInput {
  /** One storage; all when left out. */
  readonly storage?: string;
  /** Read everything to find damage, not only what listings and the last check show. */
  readonly readData?: boolean;
}

export async function sync(session: Session, { storage, readData = false }: SyncInput = {}): Promise<SyncReport> {
  const { repository, progress } = session;
  const report = await syncStorages(repository, {
    ...{ readData, progress },
    ...(storage === undefined ? {} : { storages: [storage] }),
  });
  const { remaining, storages } = report;
  await bestEffort(session, 'What was healed could not be recorded', () =>
    recordDamage(repository, remaining, (known) => storages.has(known.storage)),
  );
  return report;
}
