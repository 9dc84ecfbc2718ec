/**
 * Gives notices their channels. What goes beyond a channel's measure per minute is put into a digest, so that ten thousand alerts at once
 * are a few messages, each alert named or counted in one of them. A pager takes no digests; there they wait for their turn.
 */
import { type Alert, alertsById, planEscalation } from '../catalog/alerts.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import {
  addDeliveries,
  addDelivery,
  channelsTold,
  type Delivery,
  dropNotices,
  type NewDelivery,
  openDigest,
  postponeNotice,
  recentByChannel,
  takeNotices,
} from '../catalog/deliveries.ts';
import { isMuted, listMutes, type Mute } from '../catalog/mutes.ts';
import type { AlertPolicy } from '../config/alert-settings.ts';
import { takesDigests } from './channels.ts';
import { type DigestLine, type NoticeEvent, noticeOf } from './notice.ts';
import { destinations, escalation } from './routing.ts';

const MINUTE = 60_000;
/** A digest waits for so long for more to come. */
const GATHER_MS = 30_000;
/** A notice outside the hours of its routes is asked again after so long. */
const LATER_MS = 5 * MINUTE;
const MOST_ESCALATIONS = 3;
const BATCH = 200;

export interface RouterOptions {
  readonly policy: AlertPolicy;
  /** Of the service, for links. */
  readonly baseUrl?: string;
}

/** Routes what is there, a batch in each transaction, until nothing is left or `most` were. How many were routed. */
export async function routeNotices(
  catalog: Catalog,
  options: RouterOptions,
  now: number,
  most = 20_000,
): Promise<number> {
  let routed = 0;
  while (routed < most) {
    const count = await catalog.transaction((tx) => routeBatch(tx, options, now));
    routed += count;
    if (count < BATCH) break;
  }
  return routed;
}

async function routeBatch(tx: CatalogDb, options: RouterOptions, now: number): Promise<number> {
  const notices = await takeNotices(tx, now, BATCH);
  if (notices.length === 0) return 0;
  const mutes = await listMutes(tx, now);
  const alerts = await alertsById(tx, [...new Set(notices.flatMap(({ alertId }) => alertId ?? []))]);
  const placing = new Placing(tx, options, now, await recentByChannel(tx, now - MINUTE));
  const done: string[] = [];
  for (const notice of notices)
    if (await routeOne(notice, alerts.get(notice.alertId ?? ''), placing, mutes)) done.push(notice.id);
  await placing.write();
  await dropNotices(tx, done);
  return notices.length;
}

/** False: it is to be asked again later. */
async function routeOne(
  notice: Delivery,
  alert: Alert | undefined,
  placing: Placing,
  mutes: readonly Mute[],
): Promise<boolean> {
  const { tx, now, options } = placing;
  if (alert === undefined) return true;
  const event = notice.event as NoticeEvent;
  if (event === 'resolve' || event === 'acknowledge') {
    await placing.write(); // in this batch somebody may have been told of its beginning
    for (const channel of await channelsTold(tx, alert.id)) await placing.place(channel, event, alert);
    return true;
  }
  if (alert.state === 'RESOLVED') return await tellLate(notice, alert, placing, mutes);
  if (isMuted(alert, mutes, now)) {
    await postponeNotice(tx, notice.id, unmutedAt(alert, mutes, now));
    return false;
  }
  const found = destinations(alert, options.policy, now);
  const channels = event === 'escalate' ? escalation(alert, options.policy) : found.channels;
  if (channels.length === 0 && found.later && event !== 'escalate') {
    await postponeNotice(tx, notice.id, now + LATER_MS);
    return false;
  }
  for (const channel of channels) await placing.place(channel, event, alert);
  if (found.escalateAfter !== undefined && alert.escalation < MOST_ESCALATIONS)
    await planEscalation(tx, alert.id, now + found.escalateAfter);
  return true;
}

/** It was over before anybody could be told. What was seldom worth a message then is none now, but nothing that happened is hidden. */
async function tellLate(notice: Delivery, alert: Alert, placing: Placing, mutes: readonly Mute[]): Promise<boolean> {
  const waited = notice.nextAt > notice.createdAt; // muted, or out of hours: nobody wanted to know
  if (notice.event !== 'fire' || waited || isMuted(alert, mutes, placing.now)) return true;
  const { channels } = destinations(alert, placing.options.policy, placing.now);
  for (const channel of channels) await placing.place(channel, 'fire', alert);
  return true;
}

function unmutedAt(alert: Alert, mutes: readonly Mute[], now: number): number {
  const ends = mutes.filter((mute) => isMuted({ ...alert, mutedUntil: 0 }, [mute], now)).map(({ until }) => until);
  return Math.max(alert.mutedUntil ?? 0, ...ends, now + 1);
}

/** Puts deliveries into the queues of channels, and counts. */
class Placing {
  readonly tx: CatalogDb;
  readonly options: RouterOptions;
  readonly now: number;
  readonly #given: Map<string, number>;
  readonly #digests = new Map<string, string>();
  readonly #placed: NewDelivery[] = [];

  constructor(tx: CatalogDb, options: RouterOptions, now: number, given: Map<string, number>) {
    this.tx = tx;
    this.options = options;
    this.now = now;
    this.#given = given;
  }

  async place(channel: string, event: NoticeEvent, alert: Alert): Promise<void> {
    const { policy, baseUrl } = this.options;
    const type = policy.channels[channel];
    if (type === undefined) return; // taken out of the configuration meanwhile
    const given = this.#given.get(channel) ?? 0;
    if (given >= policy.maxPerMinute && takesDigests(type)) {
      const { id, severity, title } = alert;
      const line: DigestLine = { event, id, severity, app: alert.app ?? null, title };
      const digest = await this.#digestOf(channel);
      this.#placed.push({ alertId: id, channel, event, body: JSON.stringify(line), digest });
      return;
    }
    this.#given.set(channel, given + 1);
    const turns = Math.floor(given / policy.maxPerMinute);
    const body = JSON.stringify(noticeOf(event, alert, this.now, baseUrl));
    const nextAt = this.now + turns * MINUTE;
    this.#placed.push({ alertId: alert.id, channel, event, body, nextAt });
  }

  async write(): Promise<void> {
    await addDeliveries(this.tx, this.#placed.splice(0), this.now);
  }

  async #digestOf(channel: string): Promise<string> {
    const known = this.#digests.get(channel) ?? (await openDigest(this.tx, channel));
    const nextAt = this.now + GATHER_MS;
    const digest = known ?? (await addDelivery(this.tx, { channel, event: 'digest', body: '', nextAt }, this.now)).id;
    this.#digests.set(channel, digest);
    return digest;
  }
}
