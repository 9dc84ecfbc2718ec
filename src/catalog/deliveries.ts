/**
 * What reaches people: notices of alerts, first without a channel, then one for each channel that the routes name, tried until the receiver
 * has it. A notice is written in the transaction of the change it tells of; who sends it may die at any moment, and another goes on.
 */
import { type Selectable, sql } from 'kysely';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { isRecordId, newId } from '../base/ids.ts';
import { type CatalogDb, locking, onPostgres, storable, within } from './database.ts';
import { preparedForms } from './prepared.ts';
import type { DeliveriesTable } from './schema.ts';

/** Channel of notices that are not routed yet. */
const UNROUTED = '';
const MAX_ERROR = 500;
/** Of one statement. */
const ROWS = 200;

export type DeliveryState = DeliveriesTable['state'];

/** Times are ms since the epoch. */
export interface Delivery {
  readonly id: string;
  readonly alertId?: string;
  readonly channel: string;
  readonly event: string;
  readonly state: DeliveryState;
  readonly digest?: string;
  readonly attempts: number;
  readonly nextAt: number;
  readonly createdAt: number;
  readonly sentAt?: number;
  /** JSON; never with a secret. */
  readonly body: string;
  /** What the receiver answered, in short. */
  readonly status?: string;
  readonly error?: string;
}

export interface NewDelivery {
  readonly alertId?: string;
  readonly channel: string;
  readonly event: string;
  readonly body: string;
  readonly nextAt?: number;
  /** The delivery that carries it; then it is not sent itself. */
  readonly digest?: string;
}

/** To be routed. Belongs into the transaction of what they tell. */
export async function queueNotices(
  db: CatalogDb,
  alertIds: readonly string[],
  event: string,
  now: number,
): Promise<void> {
  const notices = alertIds.map((alertId) => ({ alertId, channel: UNROUTED, event, body: '' }));
  await addDeliveries(db, notices, now);
}

export async function addDelivery(db: CatalogDb, delivery: NewDelivery, now: number): Promise<Delivery> {
  const row = newRow(delivery, now);
  await db.insertInto('deliveries').values(row).execute();
  return toDelivery(row);
}

/** The same for many at once. */
export async function addDeliveries(db: CatalogDb, deliveries: readonly NewDelivery[], now: number): Promise<void> {
  for (let done = 0; done < deliveries.length; done += ROWS) {
    const rows = deliveries.slice(done, done + ROWS).map((delivery) => newRow(delivery, now));
    await db.insertInto('deliveries').values(rows).execute();
  }
}

/** Notices without a channel, the oldest first; others that route skip them until the transaction ends. */
export async function takeNotices(tx: CatalogDb, now: number, limit: number): Promise<Delivery[]> {
  let query = tx
    .selectFrom('deliveries')
    .selectAll()
    .where('state', '=', 'pending')
    .where('channel', '=', UNROUTED)
    .where('next_at', '<=', now)
    .orderBy('id')
    .limit(limit);
  if (onPostgres(tx)) query = query.forUpdate().skipLocked();
  return (await query.execute()).map(toDelivery);
}

/** To be routed later. */
export async function postponeNotice(tx: CatalogDb, id: string, until: number): Promise<void> {
  await tx.updateTable('deliveries').set({ next_at: until }).where('id', '=', id).execute();
}

/** They have their channels now. */
export async function dropNotices(tx: CatalogDb, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx
      .deleteFrom('deliveries')
      .where('id', 'in', [...ids])
      .execute();
}

/** Channels that were told of the alert, or will be. */
export async function channelsTold(db: CatalogDb, alertId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('channel')
    .distinct()
    .where('alert_id', '=', alertId)
    .where('event', 'in', ['fire', 'worse', 'escalate'])
    .where('state', 'in', ['pending', 'sent', 'grouped'])
    .where('channel', '<>', UNROUTED)
    .execute();
  return rows.map(({ channel }) => channel).sort();
}

/** How many messages each channel was given since then, digests and what they carry left out. */
export async function recentByChannel(db: CatalogDb, since: number): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select((eb) => ['channel', eb.fn.countAll().as('count')])
    .where('created_at', '>', since)
    .where('channel', '<>', UNROUTED)
    .where('state', '<>', 'grouped')
    .where('event', 'not in', ['digest', 'ping'])
    .groupBy('channel')
    .execute();
  return new Map(rows.map(({ channel, count }) => [channel, Number(count)]));
}

/** The digest of the channel that is not sent yet and can still take more. */
export async function openDigest(db: CatalogDb, channel: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .select('id')
    .where('channel', '=', channel)
    .where('event', '=', 'digest')
    .where('state', '=', 'pending')
    .where('attempts', '=', 0)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

/** What a digest carries: how many, and the first of them. */
export async function digestContent(
  db: CatalogDb,
  digest: string,
  limit: number,
): Promise<{ readonly count: number; readonly first: Delivery[] }> {
  const all = db.selectFrom('deliveries').where('digest', '=', digest);
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const first = await all.selectAll().orderBy('id').limit(limit).execute();
  return { count: Number(count), first: first.map(toDelivery) };
}

export async function writeBody(db: CatalogDb, id: string, body: string): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ body: storable(body) })
    .where('id', '=', id)
    .execute();
}

export interface TakeOptions {
  readonly holdMs: number;
  readonly perChannel: number;
  /** Channels that are busy. */
  readonly except: readonly string[];
}

/**
 * Takes deliveries that are due, at most `perChannel` for each channel, so that one that is down leaves room for the others. Nobody else
 * takes them for `holdMs`; whoever took them and died has then left them to the next. Of one alert and channel, the earlier goes first.
 */
export async function takeDue(
  db: CatalogDb,
  now: number,
  { holdMs, perChannel, except }: TakeOptions,
): Promise<Delivery[]> {
  return await within(db, async (tx) => {
    const ranked = tx
      .selectFrom('deliveries as d')
      .select(['d.id', sql<number>`row_number() over (partition by d.channel order by d.id)`.as('rank')])
      .where('d.state', '=', 'pending')
      .where('d.channel', 'not in', [UNROUTED, ...except])
      .where('d.next_at', '<=', now)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('deliveries as earlier')
              .select('earlier.id')
              .whereRef('earlier.alert_id', '=', 'd.alert_id')
              .whereRef('earlier.channel', '=', 'd.channel')
              .whereRef('earlier.id', '<', 'd.id')
              .where('earlier.state', '=', 'pending'),
          ),
        ),
      );
    const due = await tx.selectFrom(ranked.as('r')).select('r.id').where('r.rank', '<=', perChannel).execute();
    if (due.length === 0) return [];
    const rows = await tx
      .updateTable('deliveries')
      .set((eb) => ({ next_at: now + holdMs, attempts: eb('attempts', '+', 1) }))
      .where(
        'id',
        'in',
        due.map(({ id }) => id),
      )
      .where('state', '=', 'pending')
      .where('next_at', '<=', now) // another may have taken it in between
      .returningAll()
      .execute();
    return rows.map(toDelivery).sort((a, b) => (a.id < b.id ? -1 : 1));
  });
}

export interface DeliveryResult {
  /** pending: to be tried again at `nextAt`. */
  readonly state: 'sent' | 'pending' | 'failed' | 'gave-up';
  readonly nextAt?: number;
  readonly status?: string;
  readonly error?: string;
}

/** What came of an attempt. False: another has it by now, nothing is written. */
export async function finishAttempt(
  db: CatalogDb,
  { id, attempts }: Pick<Delivery, 'id' | 'attempts'>,
  { state, nextAt, status, error }: DeliveryResult,
  now: number,
): Promise<boolean> {
  const done = await db
    .updateTable('deliveries')
    .set({
      state,
      next_at: nextAt ?? now,
      sent_at: state === 'sent' ? now : null,
      status: status ?? null,
      error: error === undefined ? null : storable(error.slice(0, MAX_ERROR)),
    })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('state', '=', 'pending')
    .executeTakeFirst();
  return done.numUpdatedRows > 0n;
}

/** Tries it once more, from the beginning. Throws `delivery_unknown`, `delivery_state` for one that is on its way or in a digest. */
export async function resendDelivery(db: CatalogDb, id: string, now: number): Promise<Delivery> {
  return await within(db, async (tx) => {
    const row = await locking(tx, tx.selectFrom('deliveries').selectAll().where('id', '=', id)).executeTakeFirst();
    if (row === undefined || row.channel === UNROUTED)
      throw new Failure('delivery_unknown', `There is no delivery ${id}.`);
    if (row.state === 'pending') throw new Failure('delivery_state', 'The delivery is on its way.');
    if (row.state === 'grouped')
      throw new Failure('delivery_state', 'The delivery went out in a digest.', { hint: `Resend ${row.digest}.` });
    const set = { state: 'pending' as const, next_at: now, created_at: now, attempts: row.attempts, error: null };
    await tx.updateTable('deliveries').set(set).where('id', '=', id).execute();
    return toDelivery({ ...row, ...set });
  });
}

export interface DeliveryFilter {
  readonly alert?: string;
  readonly channel?: string;
  readonly state?: DeliveryState;
  /** Where the last page ended. */
  readonly cursor?: string;
  readonly limit: number;
}

/** A page of deliveries, the newest first. */
export async function listDeliveries(
  db: CatalogDb,
  filter: DeliveryFilter,
): Promise<{ readonly deliveries: Delivery[]; readonly next: string | null }> {
  const { rows, next } = await listDeliveryRows(db, filter);
  return { deliveries: rows.map(toDelivery), next };
}

/** The same page as it lies in the catalog. */
export async function listDeliveryRows(
  db: CatalogDb,
  { limit, ...filter }: DeliveryFilter,
): Promise<{ readonly rows: DeliveriesTable[]; readonly next: string | null }> {
  if (filter.cursor !== undefined && !isRecordId(filter.cursor))
    throw new Failure('usage', 'The cursor is not one that a list gave.');
  const { rows } = await selectDeliveries(db, { ...filter, limit: limit + 1 });
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? page.at(-1)!.id : null };
}

const selectDeliveries = preparedForms((db: CatalogDb, filter: DeliveryFilter) => {
  const { alert, channel, state, cursor, limit } = filter;
  let query = db
    .selectFrom('deliveries')
    .selectAll()
    .where('channel', '<>', UNROUTED)
    .orderBy('id', 'desc')
    .limit(limit);
  if (alert !== undefined) query = query.where('alert_id', '=', alert);
  if (channel !== undefined) query = query.where('channel', '=', channel);
  if (state !== undefined) query = query.where('state', '=', state);
  return cursor === undefined ? query : query.where('id', '<', cursor);
});

export async function getDelivery(db: CatalogDb, id: string): Promise<Delivery | undefined> {
  const row = await db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined || row.channel === UNROUTED ? undefined : toDelivery(row);
}

/** How many there are, by channel and state. */
export async function deliveryCounts(
  db: CatalogDb,
): Promise<readonly { readonly channel: string; readonly state: DeliveryState; readonly count: number }[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select((eb) => ['channel', 'state', eb.fn.countAll().as('count')])
    .where('channel', '<>', UNROUTED)
    .groupBy(['channel', 'state'])
    .execute();
  return rows.map(({ channel, state, count }) => ({ channel, state, count: Number(count) }));
}

function newRow(delivery: NewDelivery, now: number): Selectable<DeliveriesTable> {
  return {
    id: newId(now),
    alert_id: delivery.alertId ?? null,
    channel: delivery.channel,
    event: delivery.event,
    state: delivery.digest === undefined ? 'pending' : 'grouped',
    digest: delivery.digest ?? null,
    attempts: 0,
    next_at: delivery.nextAt ?? now,
    created_at: now,
    sent_at: null,
    body: storable(delivery.body),
    status: null,
    error: null,
  };
}

function toDelivery(row: Selectable<DeliveriesTable>): Delivery {
  return {
    ...{ id: row.id, channel: row.channel, event: row.event, state: row.state, attempts: row.attempts },
    ...{ nextAt: row.next_at, createdAt: row.created_at, body: row.body },
    ...given('alertId', row.alert_id ?? undefined),
    ...given('digest', row.digest ?? undefined),
    ...given('sentAt', row.sent_at ?? undefined),
    ...given('status', row.status ?? undefined),
    ...given('error', row.error ?? undefined),
  };
}
