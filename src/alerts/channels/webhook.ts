/** Any receiver: JSON, signed as the Standard Webhooks specification 1.0 says. https://www.standardwebhooks.com */
import { createHmac } from 'node:crypto';
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Notice, NoticeEvent } from '../notice.ts';
import type { Send } from './channel.ts';
import { post } from './post.ts';

const TYPES: Readonly<Record<NoticeEvent, string>> = {
  fire: 'alert.raised',
  worse: 'alert.worse',
  acknowledge: 'alert.acknowledged',
  resolve: 'alert.resolved',
  escalate: 'alert.escalated',
  digest: 'alert.digest',
  test: 'test',
};

export function webhook(settings: Extract<ChannelSettings, { type: 'webhook' }>): Send {
  return async ({ id, content }, world) => {
    if (content.event === 'ping') return 'nothing to tell';
    const body = JSON.stringify(webhookMessage(content));
    const timestamp = Math.floor(world.clock.now() / 1000);
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signature(settings.secret, id, timestamp, body),
    };
    const { url, allowPrivate, timeout, secret } = settings;
    return await post(
      { url, allowPrivate, timeout, headers, body, secrets: [url, new URL(url).pathname, secret] },
      world,
    );
  };
}

/** `type`, `timestamp` and `data`, as the specification asks for. */
function webhookMessage({ event, at, alert, digest, link }: Notice) {
  const data = digest ?? alert ?? { message: 'A test of this channel: nothing is wrong.' };
  return { type: TYPES[event], timestamp: at, data, ...(link === undefined ? {} : { link }) };
}

/** `secret`: "whsec_" and the key in base64. `timestamp`: seconds since the epoch. */
function signature(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
