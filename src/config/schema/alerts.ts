/** Alerts: what is looked for, how it reaches people. */
import * as z from 'zod';
import { isTimeZone } from '../cron.ts';
import { parseHours } from '../hours.ts';
import { alertRules } from './alert-rules.ts';
import { checkedText, choice, count, duration, mapping, name, secret, text, toggle } from './scalars.ts';

const SEVERITY_NAMES = ['INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

const severities = z
  .array(choice('A severity.', SEVERITY_NAMES), { error: 'must be a list of severities' })
  .min(1, 'must name a severity');

const names = (what: string) => z.array(name, { error: `must be a list of ${what}` });

const reach = {
  allowPrivate: toggle(
    'Whether the receiver may have an address of a private network or of this machine. Otherwise such addresses are refused, whatever name leads to them.',
  ).default(false),
  timeout: duration('How long the receiver may take to answer.').default('10s'),
};

const webAddress = (description: string) =>
  secret(`${description} Whoever has it can send there.`, (written) =>
    isWebAddress(written) ? undefined : 'must be an http or https URL without user information',
  );

const email = mapping({
  type: z.literal('email'),
  host: text('The mail server.'),
  port: count('Its port.', 1, 65_535).default(587),
  security: choice(
    'starttls: encrypts after connecting, and refuses to go on without; tls: encrypted from the first byte; none: in clear.',
    ['starttls', 'tls', 'none'],
  ).default('starttls'),
  username: text('The account; absent: none is needed.').optional(),
  password: secret('Its password.').optional(),
  ca: text('A file with the certificate that the server is verified by, PEM; absent: those of the system.').optional(),
  from: text('The sender, such as "Holdfast <backup@clinic.example>".'),
  to: z
    .array(text('An address.'), { error: 'must be a list of addresses' })
    .min(1, 'must name an address')
    .describe('Who gets it.'),
  timeout: duration('How long the server may take for each answer.').default('20s'),
});

const slack = mapping({ type: z.literal('slack'), url: webAddress('The incoming webhook.'), ...reach });

const webhook = mapping({
  type: z.literal('webhook'),
  url: webAddress('Where messages are posted.'),
  secret: secret('What messages are signed with: "whsec_" and 24 to 64 bytes in base64.', signingProblem),
  ...reach,
});

const pagerduty = mapping({
  type: z.literal('pagerduty'),
  routingKey: secret('The integration key of the service (Events API v2).'),
  url: text('The address of the API.').default('https://events.pagerduty.com/v2/enqueue'),
  ...reach,
});

const sms = mapping({
  type: z.literal('sms'),
  url: text('Where messages are posted, such as https://api.twilio.com/2010-04-01/Accounts/ACxxx/Messages.json.'),
  username: secret('The account.'),
  password: secret('Its token.'),
  from: text('The sending number.'),
  to: z
    .array(text('A number, such as +34600000000.'), { error: 'must be a list of numbers' })
    .min(1, 'must name a number')
    .describe('Who gets it.'),
  ...reach,
});

const healthchecks = mapping({
  type: z.literal('healthchecks'),
  url: webAddress('The ping URL of a check; /start and /fail are added to it.'),
  app: name.describe('The app whose runs are told.'),
  run: text('The kind of run that is told.').default('backup'),
  ...reach,
});

export const channel = z.discriminatedUnion('type', [email, slack, webhook, pagerduty, sms, healthchecks]);

const route = mapping({
  severity: severities.describe('Only these severities. Absent: all.').optional(),
  apps: names('apps').describe('Only alerts of these apps. Absent: all, and those of no app.').optional(),
  rules: names('rules').describe('Only alerts of these rules. Absent: all.').optional(),
  hours: checkedText('Only between these times, such as 08:00-18:00 or mon-fri 08:00-18:00.', (written) =>
    parseHours(written) === undefined ? 'must be times such as 08:00-18:00 or mon-fri 08:00-18:00' : undefined,
  ).optional(),
  timezone: checkedText('The time zone of these times. Absent: UTC.', (written) =>
    isTimeZone(written) ? undefined : 'is not a time zone (write one such as Europe/Madrid or UTC)',
  ).optional(),
  channels: names('channels').min(1, 'must name a channel').describe('Who is told.'),
  escalateAfter: duration('After so long without anybody taking care of it, escalateTo is told.').optional(),
  escalateTo: names('channels').min(1, 'must name a channel').describe('Who is told then.').optional(),
}).refine((route) => (route.escalateAfter === undefined) === (route.escalateTo === undefined), {
  error: 'needs escalateAfter and escalateTo together',
});

export const deadMan = mapping({
  url: webAddress(
    'Pinged again and again as long as alerts are being watched; that service calls for help when pings stay away.',
  ),
  every: duration('How often.').default('1m'),
  allowPrivate: reach.allowPrivate,
}).describe('Somebody outside who notices when this service is gone.');

export const alerts = mapping({
  channels: z
    .record(name, channel, { error: 'must map names to channels' })
    .describe('How people are reached.')
    .default({}),
  routes: z
    .array(route, { error: 'must be a list' })
    .describe('Who is told of what; every route that fits is followed.')
    .default([]),
  fallback: names('channels').describe('Told when no route fits, and when a channel gave up.').default([]),
  maxPerMinute: count('More messages than this in a minute go to a channel as one digest.', 1, 1_000).default(10),
  giveUpAfter: duration('A message that a receiver does not take is tried for so long.').default('24h'),
  rules: alertRules,
  deadMan: deadMan.optional(),
}).describe('What people are told, and how.');
function isWebAddress(written: string): boolean {
  const url = URL.parse(written);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

function signingProblem(written: string): string | undefined {
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(written)?.[1];
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').length;
  return bytes >= 24 && bytes <= 64 ? undefined : 'must be "whsec_" and 24 to 64 bytes in base64';
}
