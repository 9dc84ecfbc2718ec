/**
 * Alerts: one for each cause, from the first sight of it until it is gone. Every change is one transaction with the event that tells of it
 * and the notice that will be delivered, so that neither can be lost or told of something that did not happen.
 */
import type { Updateable } from 'kysely';
import { formatDuration } from '../base/durations.ts';
import { Failure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import { type Alert, type Finding, isWorse, toAlert } from './alerts/alert.ts';
import { type CatalogDb, locking, storable, within } from './database.ts';
import { queueNotices } from './deliveries.ts';
import { appendEvent, appendEvents, type EventType, type NewEvent } from './events.ts';
import type { AlertsTable } from './schema.ts';

export { type Act, type Alert, type Finding, SEVERITIES } from './alerts/alert.ts';
export {
  alertCounts,
  alertsById,
  getAlert,
  listAlertRows,
  listAlerts,
  openAlerts,
  retentionFrozen,
} from './alerts/read.ts';

/** raised: new · worse: more severe than before · seen: again · same: nothing new · answered: a person resolved it on this evidence. */
export type Raising = 'raised' | 'worse' | 'seen' | 'same' | 'answered';

/** A cause can be resolved by others between two statements this often; then something else is wrong. */
const TRIES = 10;
const MAX_TEXT = 4_000;
const MAX_DETAILS = 16_000;
const MAX_TITLE = 200;

/** Tells of a cause. The first time makes an alert, later ones make it grow; after it was resolved it is a new one. */
export async function raise(
  db: CatalogDb,
  finding: Finding,
  now: number,
): Promise<{ readonly alert: Alert; readonly what: Raising }> {
  return await within(db, async (tx) => {
    for (let tries = 0; tries < TRIES; tries++) {
      const open = await openAlert(tx, finding.cause);
      if (open !== undefined) return await grow(tx, open, finding, now);
      const answered = await answeredBefore(tx, finding);
      if (answered !== undefined) return { alert: answered, what: 'answered' };
      const made = await insert(tx, finding, now);
      if (made === undefined) continue;
      await tell(tx, 'alert.raised', made, now, 'fire');
      return { alert: made, what: 'raised' };
    }
    throw new Failure('catalog_failed', `The alert "${finding.cause}" changes faster than it can be recorded.`);
  });
}

/** The same for many causes, with few statements for those that are new. In one transaction: give it some hundreds at once. */
export async function raiseAll(db: CatalogDb, findings: readonly Finding[], now: number): Promise<void> {
  await within(db, async (tx) => {
    const causes = [...new Set(findings.map(({ cause }) => cause))].sort();
    const known = await knownCauses(tx, causes);
    const fresh = new Map(findings.toReversed().map((finding) => [finding.cause, finding]));
    for (const cause of known) fresh.delete(cause);
    const made = await insertAll(tx, [...fresh.values()], now);
    await queueNotices(
      tx,
      made.map(({ id }) => id),
      'fire',
      now,
    );
    await appendEvents(
      tx,
      made.map((alert) => eventOf('alert.raised', alert)),
      now,
    );
    const told = new Set(made.map(({ cause }) => fresh.get(cause)));
    for (const finding of findings) if (!told.has(finding)) await raise(tx, finding, now);
  });
}

/** Those that ever had an alert. */
async function knownCauses(tx: CatalogDb, causes: readonly string[]): Promise<string[]> {
  if (causes.length === 0) return [];
  const rows = await tx
    .selectFrom('alerts')
    .select('cause')
    .distinct()
    .where('cause', 'in', [...causes])
    .execute();
  return rows.map(({ cause }) => cause);
}

/**
 * The cause is gone: its alert is resolved, and says how long it lasted. Answers with it; undefined when there was none. An alert that froze
 * retention stays: whether it was an attack is for a person to say.
 */
export async function clear(db: CatalogDb, cause: string, now: number, because?: string): Promise<Alert | undefined> {
  return await within(db, async (tx) => {
    const open = await openAlert(tx, cause);
    if (open === undefined || open.freezes_retention === 1) return undefined;
    const lasted = `Gone by itself after ${formatDuration(now - open.first_at)}.`;
    const note = because === undefined ? lasted : `${lasted} ${because}`;
    return await change(tx, open, {
      ...{ set: { state: 'RESOLVED', resolved_at: now, resolve_note: cut(note), escalate_at: null } },
      ...{ event: 'alert.resolved', notice: 'resolve', now },
    });
  });
}

/** Who does something to an alert, and what they say about it. */
export interface By {
  readonly by: string;
  readonly note?: string;
}

/** Somebody takes care of it: it is not escalated any more. Throws `alert_unknown`, `alert_state` when it is resolved. */
export async function acknowledgeAlert(db: CatalogDb, id: string, { by, note }: By, now: number): Promise<Alert> {
  return await onOpen(db, id, (tx, open) => {
    if (open.state === 'ACKNOWLEDGED') return Promise.resolve(toAlert(open)); // whoever was first stays on record
    const said = { acknowledged_by: storable(by), acknowledged_at: now, acknowledge_note: cut(note) };
    const set = { state: 'ACKNOWLEDGED' as const, ...said, escalate_at: null };
    return change(tx, open, { set, event: 'alert.changed', notice: 'acknowledge', now });
  });
}

/** A person says that it is over. Throws `alert_unknown`, `alert_state` when it is resolved already. */
export async function resolveAlert(db: CatalogDb, id: string, { by, note }: By, now: number): Promise<Alert> {
  return await onOpen(db, id, (tx, open) => {
    const said = { resolved_by: storable(by), resolved_at: now, resolve_note: cut(note) };
    const set = { state: 'RESOLVED' as const, ...said, escalate_at: null };
    return change(tx, open, { set, event: 'alert.resolved', notice: 'resolve', now });
  });
}

/** Nothing is sent about it until then. Null: from now on again. Throws `alert_unknown`, `alert_state` when it is resolved. */
export async function muteAlert(
  db: CatalogDb,
  id: string,
  until: number | null,
  { by }: By,
  now: number,
): Promise<Alert> {
  return await onOpen(db, id, (tx, open) => {
    const set = { muted_until: until, muted_by: until === null ? null : storable(by) };
    return change(tx, open, { set, event: 'alert.changed', now });
  });
}

/** When it is escalated unless somebody takes care of it. Nothing happens to one that is not ACTIVE any more. */
export async function planEscalation(db: CatalogDb, id: string, at: number): Promise<void> {
  await db
    .updateTable('alerts')
    .set({ escalate_at: at })
    .where('id', '=', id)
    .where('state', '=', 'ACTIVE')
    .where('escalate_at', 'is', null)
    .execute();
}

/** Escalates what nobody took care of in time, at most `limit` of them; each again when its plan is made anew. */
export async function escalateOverdue(db: CatalogDb, now: number, limit: number): Promise<Alert[]> {
  return await within(db, async (tx) => {
    const query = tx
      .selectFrom('alerts')
      .selectAll()
      .where('state', '=', 'ACTIVE')
      .where('escalate_at', '<=', now)
      .orderBy('escalate_at')
      .limit(limit);
    const escalated: Alert[] = [];
    for (const row of await locking(tx, query).execute()) {
      const set = { escalation: row.escalation + 1, escalate_at: null };
      escalated.push(await change(tx, row, { set, event: 'alert.changed', notice: 'escalate', now }));
    }
    return escalated;
  });
}

async function openAlert(tx: CatalogDb, cause: string): Promise<AlertsTable | undefined> {
  const query = tx.selectFrom('alerts').selectAll().where('cause', '=', cause).where('state', '<>', 'RESOLVED');
  return await locking(tx, query).executeTakeFirst();
}

async function onOpen(
  db: CatalogDb,
  id: string,
  work: (tx: CatalogDb, open: AlertsTable) => Promise<Alert>,
): Promise<Alert> {
  return await within(db, async (tx) => {
    const row = await locking(tx, tx.selectFrom('alerts').selectAll().where('id', '=', id)).executeTakeFirst();
    if (row === undefined) throw new Failure('alert_unknown', `There is no alert ${id}.`);
    if (row.state === 'RESOLVED')
      throw new Failure(
        'alert_state',
        `The alert was resolved already${row.resolved_by ? ` by ${row.resolved_by}` : ''}.`,
        {
          hint: 'Should its cause come back, there will be a new alert.',
        },
      );
    return await work(tx, row);
  });
}

/** Resolved by a person who had seen the same. */
async function answeredBefore(tx: CatalogDb, { cause, evidence }: Finding): Promise<Alert | undefined> {
  if (evidence === undefined) return undefined;
  const last = await tx
    .selectFrom('alerts')
    .selectAll()
    .where('cause', '=', cause)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const same = last !== undefined && last.resolved_by !== null && last.evidence === storable(evidence);
  return same ? toAlert(last) : undefined;
}

async function insert(tx: CatalogDb, finding: Finding, now: number): Promise<Alert | undefined> {
  return (await insertAll(tx, [finding], now))[0];
}

/** Those whose cause has no alert that is open. */
async function insertAll(tx: CatalogDb, findings: readonly Finding[], now: number): Promise<Alert[]> {
  if (findings.length === 0) return [];
  const rows = await tx
    .insertInto('alerts')
    .values(findings.map((finding) => newRow(finding, now)))
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .execute();
  return rows.map(toAlert).sort((a, b) => (a.id < b.id ? -1 : 1));
}

function newRow(finding: Finding, now: number): AlertsTable {
  return {
    ...{ id: newId(now), rule: finding.rule, cause: finding.cause, state: 'ACTIVE' },
    ...contentOf(finding),
    ...{ count: 1, first_at: now, last_at: now, escalation: 0, escalate_at: null },
    ...{ acknowledged_by: null, acknowledged_at: null, acknowledge_note: null, muted_until: null, muted_by: null },
    ...{ resolved_by: null, resolved_at: null, resolve_note: null },
    freezes_retention: finding.freezesRetention === true ? 1 : 0,
  };
}

async function grow(
  tx: CatalogDb,
  open: AlertsTable,
  finding: Finding,
  now: number,
): Promise<{ readonly alert: Alert; readonly what: Raising }> {
  const worse = isWorse(finding.severity, open.severity);
  const freezes = finding.freezesRetention === true && open.freezes_retention === 0;
  const seen = finding.evidence !== undefined && finding.evidence === open.evidence;
  if (seen && !worse && !freezes) return { alert: toAlert(open), what: 'same' };
  const content = contentOf(finding);
  const severity = worse ? finding.severity : open.severity;
  const freezing = freezes ? { freezes_retention: 1 as const } : {};
  const set = { ...content, severity, ...freezing, count: open.count + 1, last_at: Math.max(now, open.last_at) };
  const alert = await change(tx, open, {
    ...{ set, event: 'alert.changed', now },
    ...(worse ? { notice: 'worse' } : {}),
  });
  return { alert, what: worse ? 'worse' : 'seen' };
}

function contentOf(finding: Finding) {
  const details = JSON.stringify(finding.details ?? {});
  return {
    severity: finding.severity,
    app: finding.app ?? null,
    storage: finding.storage ?? null,
    run_id: finding.runId ?? null,
    title: storable(finding.title.slice(0, MAX_TITLE)),
    message: cut(finding.message) ?? '',
    details: details.length > MAX_DETAILS ? '{"left_out":"too large"}' : storable(details),
    evidence: finding.evidence === undefined ? null : storable(finding.evidence),
  };
}

interface Change {
  readonly set: Updateable<AlertsTable>;
  readonly event: EventType;
  readonly notice?: string;
  readonly now: number;
}

async function change(tx: CatalogDb, row: AlertsTable, { set, event, notice, now }: Change): Promise<Alert> {
  const changed = await tx
    .updateTable('alerts')
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const alert = toAlert(changed);
  await tell(tx, event, alert, now, notice);
  return alert;
}

async function tell(tx: CatalogDb, type: EventType, alert: Alert, now: number, notice?: string): Promise<void> {
  if (notice !== undefined) await queueNotices(tx, [alert.id], notice, now);
  await appendEvent(tx, eventOf(type, alert), now);
}

function eventOf(type: EventType, alert: Alert): NewEvent {
  const { id, rule, cause, severity, state, title, count, app, runId } = alert;
  return { type, app, runId, data: { alert: id, rule, cause, severity, state, title, count } };
}

function cut(text: string): string;
function cut(text: string | undefined): string | null;
function cut(text: string | undefined): string | null {
  if (text === undefined) return null;
  return storable(text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text);
}
