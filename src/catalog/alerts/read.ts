/** Alerts, looked at. */
import { Failure } from '../../base/failure.ts';
import { isRecordId } from '../../base/ids.ts';
import type { CatalogDb } from '../database.ts';
import { preparedForms } from '../prepared.ts';
import type { AlertState, AlertsTable, Severity } from '../schema.ts';
import { type Alert, toAlert } from './alert.ts';

export interface AlertFilter {
  readonly state?: readonly AlertState[];
  readonly severity?: readonly Severity[];
  readonly rule?: string;
  readonly app?: string;
  /** Only of these apps and of none: what a person may see. */
  readonly apps?: readonly string[];
  readonly storage?: string;
  /** Where the last page ended. */
  readonly cursor?: string;
  readonly limit: number;
}

export async function getAlert(db: CatalogDb, id: string): Promise<Alert | undefined> {
  const row = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toAlert(row);
}

export async function alertsById(db: CatalogDb, ids: readonly string[]): Promise<Map<string, Alert>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('alerts')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, toAlert(row)]));
}

/** A page of alerts, the newest first; `next` is the cursor of the following page. */
export async function listAlerts(
  db: CatalogDb,
  filter: AlertFilter,
): Promise<{ readonly alerts: Alert[]; readonly next: string | null }> {
  const { rows, next } = await listAlertRows(db, filter);
  return { alerts: rows.map(toAlert), next };
}

/** The same page as it lies in the catalog: `details` as JSON. */
export async function listAlertRows(
  db: CatalogDb,
  filter: AlertFilter,
): Promise<{ readonly rows: AlertsTable[]; readonly next: string | null }> {
  const { cursor, limit } = filter;
  if (cursor !== undefined) checkCursor(cursor);
  const { rows } = await selectAlerts(db, { ...filter, limit: limit + 1 });
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? page.at(-1)!.id : null };
}

const selectAlerts = preparedForms((db: CatalogDb, filter: AlertFilter) => {
  const { state, severity, rule, app, apps, storage, cursor, limit } = filter;
  let query = db.selectFrom('alerts').selectAll().orderBy('id', 'desc').limit(limit);
  if (state !== undefined) query = query.where('state', 'in', state);
  if (severity !== undefined) query = query.where('severity', 'in', severity);
  if (rule !== undefined) query = query.where('rule', '=', rule);
  if (app !== undefined) query = query.where('app', '=', app);
  if (apps !== undefined) query = query.where((eb) => eb.or([eb('app', 'is', null), eb('app', 'in', apps)]));
  if (storage !== undefined) query = query.where('storage', '=', storage);
  return cursor === undefined ? query : query.where('id', '<', cursor);
});

/** What is not resolved, by cause: what rules compare their findings with. */
export async function openAlerts(db: CatalogDb): Promise<Map<string, Alert>> {
  const rows = await db.selectFrom('alerts').selectAll().where('state', '<>', 'RESOLVED').execute();
  return new Map(rows.map((row) => [row.cause, toAlert(row)]));
}

/** How many are not resolved. */
export async function alertCounts(
  db: CatalogDb,
): Promise<readonly { readonly severity: Severity; readonly state: AlertState; readonly count: number }[]> {
  const rows = await db
    .selectFrom('alerts')
    .select((eb) => ['severity', 'state', eb.fn.countAll().as('count')])
    .where('state', '<>', 'RESOLVED')
    .groupBy(['severity', 'state'])
    .execute();
  return rows.map(({ severity, state, count }) => ({ severity, state, count: Number(count) }));
}

/**
 * The alert for whose sake nothing of `app` (`*`: of any app) may be removed now: signs of an attack that no person has resolved. Undefined:
 * retention may work. Asked by whoever removes points, right before removing.
 */
export async function retentionFrozen(db: CatalogDb, app: string): Promise<Alert | undefined> {
  let query = db
    .selectFrom('alerts')
    .selectAll()
    .where('state', '<>', 'RESOLVED')
    .where('freezes_retention', '=', 1)
    .orderBy('id')
    .limit(1);
  if (app !== '*') query = query.where((eb) => eb.or([eb('app', '=', app), eb('app', 'is', null)]));
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : toAlert(row);
}

function checkCursor(cursor: string): void {
  if (isRecordId(cursor)) return;
  throw new Failure('usage', 'The cursor is not one that a list gave.', { hint: 'Take "next" of the page before.' });
}
