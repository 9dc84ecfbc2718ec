/** Remembers on which file systems the storages lie, so that one that is not mounted is not taken for one that was wiped. */
import { recordPlaces } from '../repository/meta-places.ts';
import { bestEffort } from './best-effort.ts';
import type { Session } from './session.ts';

/** `rebuilt`: names of storages that could not be used when the session began, and can now. */
export function rememberPlaces(session: Session, rebuilt: ReadonlySet<string> = new Set()): Promise<void> {
  const { repository } = session;
  const stores = [...repository.replicas, ...repository.lost.filter(({ name }) => rebuilt.has(name))];
  return bestEffort(session, 'Where the storages lie could not be recorded', () =>
    recordPlaces(
      repository,
      stores.map(({ store }) => store),
    ),
  );
}
