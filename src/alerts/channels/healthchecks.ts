/** A check outside that counts runs: told of beginnings, good ends and failures. It alerts by itself when it hears nothing. https://healthchecks.io/docs/http_api/ */
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Send } from './channel.ts';
import { post } from './post.ts';

const PATHS = { start: '/start', success: '', fail: '/fail' } as const;
const MAX_TEXT = 10_000;

export function healthchecks(settings: Extract<ChannelSettings, { type: 'healthchecks' }>): Send {
  const { url, allowPrivate, timeout } = settings;
  return async ({ content }, world) => {
    const ping = content.event === 'ping' ? content : { ping: 'success' as const, text: 'A test: nothing is wrong.' };
    return await post(
      {
        ...{ url: pingUrl(url, ping.ping), allowPrivate, timeout, secrets: [url, new URL(url).pathname] },
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: ping.text.slice(0, MAX_TEXT),
      },
      world,
    );
  };
}

function pingUrl(url: string, ping: keyof typeof PATHS): string {
  const place = new URL(url);
  place.pathname = place.pathname.replace(/\/+$/, '') + PATHS[ping];
  return place.href;
}
