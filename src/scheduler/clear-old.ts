/** What the catalog does not keep for ever: events that everybody has seen, and the log of runs of long ago. The runs themselves stay. */
import { idFloor } from '../base/ids.ts';
import type { CatalogDb } from '../catalog/catalog.ts';

const DAY = 24 * 3_600_000;
const EVENTS_FOR = 14 * DAY;
const LOGS_FOR = 180 * DAY;

export async function clearOld(db: CatalogDb, now: number): Promise<void> {
  await db
    .deleteFrom('events')
    .where('at', '<', now - EVENTS_FOR)
    .execute();
  const oldest = idFloor(now - LOGS_FOR);
  await db.deleteFrom('run_log').where('run_id', '<', oldest).execute();
  await db.deleteFrom('run_steps').where('run_id', '<', oldest).execute();
  await db.deleteFrom('run_inputs').where('run_id', '<', oldest).execute();
}
