/** Processes that are alive: they say so again and again, and are told as lost when they stop. */
import { type CatalogDb, within } from './database.ts';
import { appendEvent } from './events.ts';
import { type Labels, labelText } from './run.ts';
import type { WorkersTable } from './schema.ts';

export interface WorkerSelf {
  readonly id: string;
  readonly name: string;
  readonly labels: Labels;
  readonly role: 'serve' | 'worker';
  readonly version: string;
}

/** Times are ms since the epoch. */
export interface Worker extends WorkerSelf {
  readonly startedAt: number;
  readonly seenAt: number;
}

/** Says that the process lives; the first time it has joined. */
export async function heartbeat(db: CatalogDb, worker: WorkerSelf, now: number): Promise<void> {
  const seen = await db.updateTable('workers').set({ seen_at: now }).where('id', '=', worker.id).executeTakeFirst();
  if (seen.numUpdatedRows > 0n) return;
  const { id, name, role, version } = worker;
  await within(db, async (tx) => {
    const joined = await tx
      .insertInto('workers')
      .values({ id, name, labels: labelText(worker.labels), role, version, started_at: now, seen_at: now })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (joined === undefined) return; // a beat at the same moment was first
    await appendEvent(tx, { type: 'worker.joined', data: { worker: id, name, role, labels: worker.labels } }, now);
  });
}

/** All that have joined and not left, by name. */
export async function listWorkers(db: CatalogDb): Promise<Worker[]> {
  return (await db.selectFrom('workers').selectAll().orderBy('name').orderBy('id').execute()).map(toWorker);
}

/** Leaves in good order: nobody is told of a loss. */
export async function removeWorker(db: CatalogDb, id: string): Promise<void> {
  await db.deleteFrom('workers').where('id', '=', id).execute();
}

/** Takes out who was not seen since `since` (ms since the epoch), with an event for each. */
export async function removeLostWorkers(db: CatalogDb, since: number, now: number): Promise<Worker[]> {
  return await within(db, async (tx) => {
    const rows = await tx.deleteFrom('workers').where('seen_at', '<', since).returningAll().execute();
    const lost = rows.map(toWorker);
    for (const { id, name, role, seenAt } of lost) {
      await appendEvent(tx, { type: 'worker.lost', data: { worker: id, name, role, seenAt } }, now);
    }
    return lost;
  });
}

function toWorker(row: WorkersTable): Worker {
  return {
    id: row.id,
    name: row.name,
    labels: JSON.parse(row.labels) as Labels,
    role: row.role as Worker['role'],
    version: row.version,
    startedAt: row.started_at,
    seenAt: row.seen_at,
  };
}
