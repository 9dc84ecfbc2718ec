/** The kinds of channels. */
import type { ChannelSettings } from '../config/alert-settings.ts';
import type { Send } from './channels/channel.ts';
import { email } from './channels/email.ts';
import { healthchecks } from './channels/healthchecks.ts';
import { pagerduty } from './channels/pagerduty.ts';
import { slack } from './channels/slack.ts';
import { sms } from './channels/sms.ts';
import { webhook } from './channels/webhook.ts';

export type { ChannelWorld } from './channels/channel.ts';
export { post } from './channels/post.ts';

export function openChannel(settings: ChannelSettings): Send {
  switch (settings.type) {
    case 'email':
      return email(settings);
    case 'slack':
      return slack(settings);
    case 'webhook':
      return webhook(settings);
    case 'pagerduty':
      return pagerduty(settings);
    case 'sms':
      return sms(settings);
    case 'healthchecks':
      return healthchecks(settings);
  }
}

/** Whether many messages become one. A pager wants each incident by itself: there they wait for their turn. */
export function takesDigests(type: ChannelSettings['type']): boolean {
  return type !== 'pagerduty';
}
