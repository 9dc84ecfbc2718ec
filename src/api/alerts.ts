/** Alerts: what people must know, what they did about it, and how it reached them. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { anApp, app, cursor, givenTime, limit, object, page, recordId, storageName, text, time } from './shapes.ts';

export const SEVERITIES = ['INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;
export const ALERT_STATES = ['ACTIVE', 'ACKNOWLEDGED', 'RESOLVED'] as const;
export const DELIVERY_STATES = ['pending', 'sent', 'grouped', 'failed', 'gave-up'] as const;

const severity = z.enum(SEVERITIES);
const state = z.enum(ALERT_STATES);

const Act = z.object({ by: z.string(), at: time, note: z.string().nullable() });

export const Alert = z
  .object({
    id: recordId,
    rule: z.string().describe('What was looked for, such as backup_failure.'),
    cause: z.string().describe('What is wrong with what; at most one alert that is not resolved has it.'),
    severity,
    state,
    app: app.nullable(),
    storage: storageName.nullable(),
    run: recordId.nullable(),
    title: z.string(),
    message: z.string(),
    details: object.describe('Figures and thresholds.'),
    count: z.int().describe('How often it was seen.'),
    first_at: time,
    last_at: time,
    acknowledged: Act.nullable(),
    resolved: z
      .object({ by: z.string().nullable(), at: time, note: z.string().nullable() })
      .nullable()
      .describe('Without `by` its cause went away by itself.'),
    muted_until: time.nullable(),
    muted_by: z.string().nullable(),
    escalation: z.int().describe('How often it was escalated.'),
    freezes_retention: z.boolean().describe('Nothing is removed until a person resolves it.'),
  })
  .meta({ id: 'Alert' });
export type Alert = z.output<typeof Alert>;

export const Delivery = z
  .object({
    id: recordId,
    alert: recordId.nullable(),
    channel: z.string(),
    event: z.string().describe('fire, worse, acknowledge, resolve, escalate, digest, test, ping.'),
    state: z.enum(DELIVERY_STATES),
    digest: recordId.nullable().describe('The delivery that carries it.'),
    attempts: z.int(),
    created_at: time,
    next_at: time.nullable().describe('When it is tried next.'),
    sent_at: time.nullable(),
    status: z.string().nullable().describe('What the receiver answered.'),
    error: z.string().nullable(),
    content: object.nullable().describe('What was told; never a secret.'),
  })
  .meta({ id: 'Delivery' });
export type Delivery = z.output<typeof Delivery>;

export const Mute = z
  .object({
    id: recordId,
    rule: z.string().nullable(),
    app: app.nullable(),
    storage: storageName.nullable(),
    severity: severity.nullable(),
    until: time,
    reason: z.string().nullable(),
    created_by: z.string(),
    created_at: time,
  })
  .meta({ id: 'Mute' });
export type Mute = z.output<typeof Mute>;

const tag = 'Alerts';
const one = { tag, app: 'resource', params: { alert: recordId } } as const;
const note = z.strictObject({ note: text('What you have to say about it.').optional() });

export const listAlerts = endpoint({
  ...{ method: 'GET', path: '/api/v1/alerts', id: 'listAlerts', tag, access: 'viewer', app: 'query' },
  summary: 'Alerts, the newest first',
  query: {
    ...{ app: anApp, state: z.array(state).optional(), severity: z.array(severity).optional() },
    ...{ rule: text('Only of this rule.', 50).optional(), storage: storageName.optional(), cursor, limit },
  },
  answer: { status: 200, description: 'A page.', body: page(Alert) },
});

export const getAlert = endpoint({
  ...one,
  ...{ method: 'GET', path: '/api/v1/alerts/{alert}', id: 'getAlert', access: 'viewer' },
  summary: 'One alert',
  answer: { status: 200, description: 'The alert.', body: Alert },
});

export const acknowledgeAlert = endpoint({
  ...one,
  ...{ method: 'POST', path: '/api/v1/alerts/{alert}/acknowledge', id: 'acknowledgeAlert', access: 'operator' },
  summary: 'Say that you take care of it',
  description: 'It is not escalated any more; who was told of it is told of this.',
  body: note,
  answer: { status: 200, description: 'Acknowledged.', body: Alert },
});

export const resolveAlert = endpoint({
  ...one,
  ...{ method: 'POST', path: '/api/v1/alerts/{alert}/resolve', id: 'resolveAlert', access: 'operator' },
  summary: 'Say that it is over',
  description: 'Where it froze retention, points are removed again from now on.',
  body: note,
  answer: { status: 200, description: 'Resolved.', body: Alert },
});

export const muteAlert = endpoint({
  ...one,
  ...{ method: 'POST', path: '/api/v1/alerts/{alert}/mute', id: 'muteAlert', access: 'operator' },
  summary: 'Send nothing about it for a while',
  body: z.strictObject({ until: givenTime.nullable().describe('Until then; null: from now on again.') }),
  answer: { status: 200, description: 'Muted, or not any more.', body: Alert },
});

export const listMutes = endpoint({
  ...{ method: 'GET', path: '/api/v1/alert-mutes', id: 'listMutes', tag, access: 'viewer' },
  summary: 'Mutes that hold now',
  answer: { status: 200, description: 'All of them.', body: z.object({ items: z.array(Mute) }) },
});

export const createMute = endpoint({
  ...{ method: 'POST', path: '/api/v1/alert-mutes', id: 'createMute', tag, access: 'operator' },
  summary: 'Send nothing for a while about alerts that match',
  description: 'They stand in the list all the same. What is left out matches everything.',
  body: z.strictObject({
    ...{ rule: text('Only of this rule.', 50).optional(), app: app.optional(), storage: storageName.optional() },
    ...{ severity: severity.optional(), until: givenTime, reason: text('Why.').optional() },
  }),
  answer: { status: 201, description: 'Made.', body: Mute },
});

export const deleteMute = endpoint({
  ...{ method: 'DELETE', path: '/api/v1/alert-mutes/{mute}', id: 'deleteMute', tag, access: 'operator' },
  params: { mute: recordId },
  summary: 'End a mute',
  answer: { status: 204, description: 'Ended.' },
});

export const listDeliveries = endpoint({
  ...{ method: 'GET', path: '/api/v1/deliveries', id: 'listDeliveries', tag, access: 'operator' },
  summary: 'What was sent and what became of it, the newest first',
  query: {
    ...{ alert: recordId.optional(), channel: text('Only of this channel.', 63).optional() },
    ...{ state: Delivery.shape.state.optional(), cursor, limit },
  },
  answer: { status: 200, description: 'A page.', body: page(Delivery) },
});

export const resendDelivery = endpoint({
  ...{ method: 'POST', path: '/api/v1/deliveries/{delivery}/resend', id: 'resendDelivery', tag, access: 'operator' },
  params: { delivery: recordId },
  summary: 'Send it once more',
  answer: { status: 202, description: 'Queued.', body: Delivery },
});

export const listChannels = endpoint({
  ...{ method: 'GET', path: '/api/v1/channels', id: 'listChannels', tag, access: 'viewer' },
  summary: 'The channels of the configuration',
  answer: {
    status: 200,
    description: 'By name; nothing secret.',
    body: z.object({ items: z.array(z.object({ name: z.string(), type: z.string() })) }),
  },
});

export const testChannel = endpoint({
  ...{ method: 'POST', path: '/api/v1/channels/{channel}/test', id: 'testChannel', tag, access: 'operator' },
  params: { channel: z.string().min(1).max(63).describe('Name of a channel.') },
  summary: 'Send a test over one channel',
  answer: { status: 200, description: 'What came of it: `sent`, or `failed` with the reason.', body: Delivery },
});
