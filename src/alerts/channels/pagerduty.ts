/** PagerDuty: Events API v2. One incident per alert, by one key from the first word to the last. https://developer.pagerduty.com/docs/events-api-v2 */
import type { ChannelSettings } from '../../config/alert-settings.ts';
import type { Notice } from '../notice.ts';
import { body, headline, subject } from '../words.ts';
import type { Outgoing, Send } from './channel.ts';
import { post } from './post.ts';

const MAX_SUMMARY = 1_024;
const SEVERITY = { INFO: 'info', WARNING: 'warning', ERROR: 'error', CRITICAL: 'critical' } as const;

type Action = 'trigger' | 'acknowledge' | 'resolve';

export function pagerduty(settings: Extract<ChannelSettings, { type: 'pagerduty' }>): Send {
  const { url, allowPrivate, timeout, routingKey } = settings;
  return async (outgoing, world) => {
    const { content } = outgoing;
    if (content.event === 'ping') return 'nothing to tell';
    const send = (action: Action) =>
      post(
        {
          ...{ url, allowPrivate, timeout, headers: { 'content-type': 'application/json' }, secrets: [routingKey] },
          body: JSON.stringify(pagerdutyEvent(routingKey, action, outgoing.id, content, world.source)),
        },
        world,
      );
    const status = await send(actionOf(content));
    return content.event === 'test' ? await send('resolve') : status; // a test wakes nobody for long
  };
}

function actionOf({ event }: Notice): Action {
  return event === 'acknowledge' || event === 'resolve' ? event : 'trigger';
}

function pagerdutyEvent(routingKey: string, action: Action, id: Outgoing['id'], notice: Notice, source: string) {
  const { alert, link } = notice;
  const about = {
    ...{ routing_key: routingKey, event_action: action, dedup_key: `holdfast-${alert?.id ?? id}` },
    ...{ client: 'Holdfast', ...(link === undefined ? {} : { client_url: link }) },
  };
  if (action !== 'trigger') return about;
  return {
    ...about,
    payload: {
      summary: (alert === undefined ? headline(notice) : subject(alert)).slice(0, MAX_SUMMARY),
      source,
      severity: alert === undefined ? 'info' : SEVERITY[alert.severity],
      timestamp: notice.at,
      ...(alert?.storage == null ? {} : { component: alert.storage }),
      ...(alert?.app == null ? {} : { group: alert.app }),
      ...(alert === undefined ? {} : { class: alert.rule }),
      custom_details: { message: body(notice), ...alert?.details },
    },
  };
}
