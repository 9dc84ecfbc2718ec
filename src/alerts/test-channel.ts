/** The test button: one message over one channel, now, with what came of it. */
import { asFailure } from '../base/failure.ts';
import { addDelivery, type Delivery, finishAttempt, getDelivery } from '../catalog/deliveries.ts';
import type { Notice } from './notice.ts';
import { attempt, type SenderDeps } from './sender.ts';

/** Nobody else sends it meanwhile, ms. */
const HOLD_MS = 10 * 60_000;

/** Sends a test and resolves with its delivery, `sent` or `failed` with the reason. Throws `channel_unknown`, `secret_unavailable`. */
export async function testChannel(
  deps: Pick<SenderDeps, 'catalog' | 'channel' | 'world'>,
  channel: string,
): Promise<Delivery> {
  const { catalog, world } = deps;
  await deps.channel(channel);
  const now = world.clock.now();
  const notice: Notice = { event: 'test', at: new Date(now).toISOString() };
  const body = JSON.stringify(notice);
  const delivery = await addDelivery(catalog.db, { channel, event: 'test', body, nextAt: now + HOLD_MS }, now);
  const result = await attempt(deps, channel, delivery).then(
    (status) => ({ state: 'sent' as const, status }),
    (error: unknown) => ({ state: 'failed' as const, error: asFailure(error, 'channel_failed').message }),
  );
  await finishAttempt(catalog.db, delivery, result, world.clock.now());
  return (await getDelivery(catalog.db, delivery.id)) ?? delivery;
}
