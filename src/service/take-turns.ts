/** Work that one process at a time does. Its lease is short and renewed while the work lasts, so that who dies holds nobody up for long. */
import type { Clock } from '../base/clock.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import { dropLease, holdsLease, type RoleLease, takeLease } from '../catalog/leases.ts';

/** ms for which the role is taken; renewed each third of it. */
export const TURN_MS = 20_000;

export interface Turn {
  /** Of the role; of the process, which no other has. */
  readonly name: string;
  readonly holder: string;
}

/**
 * Does `work` while nobody else does anything under that name; not at all when somebody is at it. What `done` writes belongs to the role: it
 * is left out when the role went to another meanwhile, because this process stood still.
 */
export async function takeTurn(
  catalog: Catalog,
  clock: Clock,
  { name, holder }: Turn,
  work: () => Promise<((db: CatalogDb) => Promise<void>) | undefined>,
): Promise<void> {
  const lease = await takeLease(catalog.db, name, holder, clock.now(), TURN_MS);
  if (lease === undefined) return;
  const over = new AbortController();
  const keeping = keep(catalog, clock, lease, over.signal);
  try {
    const done = await work();
    if (done !== undefined)
      await catalog.transaction(async (db) => {
        if (await holdsLease(db, lease)) await done(db);
      });
  } finally {
    over.abort();
    await keeping;
    await dropLease(catalog.db, lease).catch(() => {}); // it ends by itself
  }
}

async function keep({ db }: Catalog, clock: Clock, lease: RoleLease, over: AbortSignal): Promise<void> {
  const pause = () =>
    clock.sleep(TURN_MS / 3, over).then(
      () => true,
      () => false,
    );
  while (await pause()) {
    const { name, holder, fence } = lease;
    const held = await holdsLease(db, lease).catch(() => true); // a catalog that cannot be asked now is asked again
    if (!held) return;
    const again = await takeLease(db, name, holder, clock.now(), TURN_MS).catch(() => lease);
    if (again?.fence === fence) continue;
    if (again !== undefined) await dropLease(db, again).catch(() => {}); // another was at it in between
    return;
  }
}
