/** Slack: incoming webhooks, with Block Kit. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Notice } from '../notice.ts';
import { body, facts, headline } from '../words.ts';
import type { Send } from './channel.ts';
import { post } from './post.ts';

/** Limits of Slack, in characters. */
const MAX_HEADER = 150;
const MAX_SECTION = 2_900;
const MAX_FIELDS = 10;
const MAX_FIELD = 1_900;

export function slack(settings: Extract<ChannelSettings, { type: 'slack' }>): Send {
  return async ({ content }, world) => {
    if (content.event === 'ping') return 'nothing to tell';
    return await post(
      {
        ...{ url: settings.url, allowPrivate: settings.allowPrivate, timeout: settings.timeout },
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(slackMessage(content)),
        secrets: [settings.url, new URL(settings.url).pathname],
      },
      world,
    );
  };
}

/** `text` is what notifications show, `blocks` what the channel shows. */
function slackMessage(notice: Notice) {
  const fields = facts(notice)
    .slice(0, MAX_FIELDS)
    .map(([name, value]) => ({ type: 'mrkdwn', text: `*${name}*\n${escaped(value, MAX_FIELD)}` }));
  const text = escaped(body(notice), MAX_SECTION);
  return {
    text: escaped(headline(notice), MAX_SECTION),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(headline(notice), MAX_HEADER), emoji: false } },
      ...(text === '' ? [] : [{ type: 'section', text: { type: 'mrkdwn', text } }]),
      ...(fields.length === 0 ? [] : [{ type: 'section', fields }]),
      ...(notice.link === undefined
        ? []
        : [{ type: 'context', elements: [{ type: 'mrkdwn', text: `<${notice.link}|Open>` }] }]),
    ],
  };
}

/** Nothing in it is a mention, a link or a command. */
function escaped(text: string, most: number): string {
  return cut(text, most).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
