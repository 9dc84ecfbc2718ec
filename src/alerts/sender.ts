/**
 * Sends what is due, each channel by itself: one that hangs holds up nobody else. An attempt that fails is made again after a while that
 * grows, with some chance in it, until the message is taken, refused for good, or too old. Receivers may get a message twice, never not at
 * all: whoever dies between sending and writing that down leaves it to the next.
 */
import { asFailure, type Failure, isFailure } from '../base/failure.ts';
import { clear, raise } from '../catalog/alerts.ts';
import type { Catalog } from '../catalog/catalog.ts';
import {
  addDelivery,
  type Delivery,
  type DeliveryResult,
  digestContent,
  finishAttempt,
  takeDue,
  writeBody,
} from '../catalog/deliveries.ts';
import type { AlertPolicy, ChannelSettings } from '../config/alert-settings.ts';
import { type ChannelWorld, openChannel } from './channels.ts';
import type { DigestLine, Notice, Ping } from './notice.ts';
import { today } from './rules/rule.ts';

const HOLD_MS = 5 * 60_000;
const PER_CHANNEL = 10;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 15 * 60_000;
const JITTER = 0.2;
/** A run that began ten minutes ago is no news to a check that counts runs. */
const PING_LIMIT_MS = 10 * 60_000;
/** After so many attempts at one message the channel itself is told of. */
const FAILING_AFTER = 3;
const DIGEST_LINES = 20;

export interface SenderDeps {
  readonly catalog: Catalog;
  readonly world: ChannelWorld;
  policy(): Promise<AlertPolicy>;
  /** Throws `channel_unknown`, `secret_unavailable`. */
  channel(name: string): Promise<ChannelSettings>;
  /** From 0 to 1. */
  random(): number;
  onProblem(message: string, error: unknown): void;
}

export class Sender {
  readonly #deps: SenderDeps;
  readonly #busy = new Map<string, Promise<void>>();

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Begins to send what is due on channels that are free. How many messages it took up. */
  async pump(): Promise<number> {
    const { catalog, world } = this.#deps;
    const options = { holdMs: HOLD_MS, perChannel: PER_CHANNEL, except: [...this.#busy.keys()] };
    const due = await takeDue(catalog.db, world.clock.now(), options);
    for (const [channel, deliveries] of Map.groupBy(due, ({ channel: name }) => name)) {
      const work = this.#sendAll(channel, deliveries)
        .catch((error: unknown) =>
          this.#deps.onProblem(`Messages of the channel "${channel}" could not be sent`, error),
        )
        .finally(() => this.#busy.delete(channel));
      this.#busy.set(channel, work);
    }
    return due.length;
  }

  /** Resolves when everything that was begun has ended. */
  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  async #sendAll(channel: string, deliveries: readonly Delivery[]): Promise<void> {
    const { world } = this.#deps;
    for (const delivery of deliveries) {
      if (world.signal.aborted) return;
      await this.#sendOne(channel, delivery);
    }
  }

  async #sendOne(channel: string, delivery: Delivery): Promise<void> {
    const { catalog, world } = this.#deps;
    try {
      const status = await attempt(this.#deps, channel, delivery);
      const written = await finishAttempt(catalog.db, delivery, { state: 'sent', status }, world.clock.now());
      if (written && delivery.event !== 'test') await this.#works(channel);
    } catch (error) {
      if (world.signal.aborted) return; // tried again by whoever comes next
      await this.#failed(channel, delivery, asFailure(error, 'channel_failed'));
    }
  }

  async #failed(channel: string, delivery: Delivery, failure: Failure): Promise<void> {
    const { catalog, world, policy, random } = this.#deps;
    const { giveUpAfter, fallback, rules } = await policy();
    const now = world.clock.now();
    const result = afterFailure(delivery, failure, { now, giveUpAfter, random: random() });
    await catalog.transaction(async (tx) => {
      if (!(await finishAttempt(tx, delivery, result, now))) return;
      if (result.state === 'pending' && delivery.attempts < FAILING_AFTER) return;
      const next = fallback[fallback.indexOf(channel) + 1]; // for a channel that is none of them, the first
      if (result.state !== 'pending' && isAlarm(delivery) && next !== undefined) {
        const { alertId, event, body } = delivery;
        await addDelivery(tx, { ...(alertId && { alertId }), channel: next, event, body }, now);
      }
      const { enabled, severity = 'WARNING' } = rules.channel_failing;
      if (enabled) await raise(tx, { ...failingChannel(channel, failure, now), severity }, now);
    });
  }

  async #works(channel: string): Promise<void> {
    const { catalog, world } = this.#deps;
    await clear(catalog.db, causeOf(channel), world.clock.now(), 'The channel takes messages again.');
  }
}

/** One attempt. Throws what came between. */
export async function attempt(
  { catalog, channel: settingsOf, world }: Pick<SenderDeps, 'catalog' | 'channel' | 'world'>,
  channel: string,
  delivery: Delivery,
): Promise<string> {
  const settings = await settingsOf(channel);
  const body =
    delivery.event === 'digest' && delivery.body === '' ? await digestBody(catalog, delivery) : delivery.body;
  return await openChannel(settings)({ id: delivery.id, content: JSON.parse(body) as Notice | Ping }, world);
}

/** Written down before it is sent, so that every attempt says the same. */
async function digestBody({ db }: Catalog, { id, createdAt }: Delivery): Promise<string> {
  const { count, first } = await digestContent(db, id, DIGEST_LINES);
  const notice: Notice = {
    event: 'digest',
    at: new Date(createdAt).toISOString(),
    digest: { count, first: first.map(({ body }) => JSON.parse(body) as DigestLine) },
  };
  const body = JSON.stringify(notice);
  await writeBody(db, id, body);
  return body;
}

interface Circumstances {
  readonly now: number;
  /** ms. */
  readonly giveUpAfter: number;
  readonly random: number;
}

/** What becomes of a delivery whose attempt failed. */
export function afterFailure(
  { attempts, createdAt, event }: Pick<Delivery, 'attempts' | 'createdAt' | 'event'>,
  failure: Failure,
  { now, giveUpAfter, random }: Circumstances,
): DeliveryResult {
  const error = failure.message;
  if (isFailure(failure, 'channel_refused', 'channel_unknown')) return { state: 'failed', error };
  const wait = Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS) * (1 - JITTER + 2 * JITTER * random);
  const nextAt = Math.round(now + wait);
  const limit = event === 'ping' ? Math.min(giveUpAfter, PING_LIMIT_MS) : giveUpAfter;
  return nextAt - createdAt > limit ? { state: 'gave-up', error } : { state: 'pending', nextAt, error };
}

/** Somebody must hear of it, whatever becomes of this channel. */
function isAlarm({ event }: Delivery): boolean {
  return event === 'fire' || event === 'worse' || event === 'escalate' || event === 'digest';
}

function causeOf(channel: string): string {
  return `channel_failing:${channel}`;
}

function failingChannel(channel: string, { message, code, hint }: Failure, now: number) {
  return {
    ...{ rule: 'channel_failing', cause: causeOf(channel), evidence: today(now) },
    title: `The channel ${channel} does not take messages`,
    message: hint === undefined ? message : `${message}\n${hint}`,
    details: { channel, code },
  };
}
