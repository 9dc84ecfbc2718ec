/** SMS by an HTTP service that takes the form of Twilio: From, To, Body; the account by basic authentication. */
import type { Failure } from '../../base/failure.ts';
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Notice } from '../notice.ts';
import { body, headline } from '../words.ts';
import type { Send } from './channel.ts';
import { post } from './post.ts';

/** Two parts of a long message. */
const MAX_TEXT = 300;

export function sms(settings: Extract<ChannelSettings, { type: 'sms' }>): Send {
  const { url, username, password, from, to, allowPrivate, timeout } = settings;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' };
  const common = { url, allowPrivate, timeout, headers, secrets: [password, authorization] };
  return async ({ content }, world) => {
    if (content.event === 'ping') return 'nothing to tell';
    const text = smsText(content);
    const answers = await Promise.allSettled(
      to.map((number) =>
        post({ ...common, body: new URLSearchParams({ From: from, To: number, Body: text }).toString() }, world),
      ),
    );
    world.signal.throwIfAborted();
    const failed = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as Failure] : []));
    if (failed.length === answers.length) throw failed.find(({ retryable }) => retryable) ?? failed[0]!;
    // sent again to all, those who have it would be woken once more
    const refused = failed.map(({ message }) => message).join(' ');
    return `taken for ${answers.length - failed.length} of ${answers.length} numbers. ${refused}`.trim();
  };
}

function smsText(notice: Notice): string {
  const text = `${headline(notice)}. ${body(notice).replace(/\s+/g, ' ')}`.trim();
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
}
