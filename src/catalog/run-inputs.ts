/** What people said to a run: confirmations of a runbook, pauses, notes. The run reads them in order. */

import type { Catalog } from './catalog.ts';
import { type CatalogDb, locking, storable, within } from './database.ts';
import { appendEvent } from './events.ts';
import type { RunInputsTable } from './schema.ts';

export type RunInput = Omit<RunInputsTable, 'run_id'>;

export async function listRunInputs(db: CatalogDb, runId: string, after = 0): Promise<RunInput[]> {
  const query = db.selectFrom('run_inputs').selectAll().where('run_id', '=', runId).where('seq', '>', after);
  return (await query.orderBy('seq').execute()).map(({ run_id: _run, ...input }) => input);
}

/** Numbers it after the ones before, and tells that there is something to read. */
export async function addRunInput(
  { db }: Catalog,
  runId: string,
  input: Omit<RunInput, 'seq' | 'at'>,
  now: number,
): Promise<RunInput> {
  return await within(db, async (tx) => {
    const run = tx.selectFrom('runs').select('app').where('id', '=', runId);
    const { app } = await locking(tx, run).executeTakeFirstOrThrow(); // two at once get two numbers
    const last = tx.selectFrom('run_inputs').select('seq').where('run_id', '=', runId).orderBy('seq', 'desc').limit(1);
    const added: RunInput = {
      ...{ seq: ((await last.executeTakeFirst())?.seq ?? 0) + 1, at: now, by: storable(input.by), kind: input.kind },
      step: input.step === null ? null : storable(input.step),
      text: input.text === null ? null : storable(input.text),
    };
    await tx
      .insertInto('run_inputs')
      .values({ run_id: runId, ...added })
      .execute();
    await appendEvent(tx, { type: 'run.progress', app, runId, data: { input: added.kind, step: added.step } }, now);
    return added;
  });
}
