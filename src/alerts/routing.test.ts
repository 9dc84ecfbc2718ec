import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { policyOf } from '../../test/support/alerts.ts';
import type { Alert } from '../catalog/alerts.ts';
import type { AlertPolicy } from '../config/alert-settings.ts';
import { destinations, escalation } from './routing.ts';

let policy: AlertPolicy;
before(async () => {
  policy = await policyOf(`
  channels:
    mail: { type: slack, url: "https://hooks.example/mail" }
    night: { type: slack, url: "https://hooks.example/night" }
    boss: { type: slack, url: "https://hooks.example/boss" }
  fallback: [boss]
  routes:
    - { apps: [clinic], severity: [ERROR], hours: "mon-fri 08:00-18:00", timezone: America/New_York, channels: [mail], escalateAfter: 10m, escalateTo: [boss] }
    - { apps: [clinic], severity: [ERROR], hours: "18:00-08:00", timezone: America/New_York, channels: [night], escalateAfter: 5m, escalateTo: [boss] }`);
});

const alert = (more: Partial<Alert> = {}) =>
  ({ rule: 'backup_failure', severity: 'ERROR', app: 'clinic', details: {}, ...more }) as Alert;
const told = (time: string, which = alert()) => destinations(which, policy, Date.parse(time));

test('hours of a route are those of its time zone, before and after clocks change there', () => {
  // Friday, 30 October 2026 in summer time (UTC-4); Monday, 2 November in winter time (UTC-5)
  assert.deepEqual(told('2026-10-30T11:59:00Z').channels, ['night']);
  assert.deepEqual(told('2026-10-30T12:00:00Z'), { channels: ['mail'], escalateAfter: 600_000, later: false });
  assert.deepEqual(told('2026-11-02T12:00:00Z'), { channels: ['night'], escalateAfter: 300_000, later: false });
  assert.deepEqual(told('2026-11-02T13:00:00Z').channels, ['mail']);
});

test('where routes fit but none at this hour it waits; where none ever fits the fallback is told; escalation knows no hours', () => {
  assert.deepEqual(told('2026-10-31T15:00:00Z'), { channels: [], later: true }); // Saturday noon
  assert.deepEqual(told('2026-10-31T15:00:00Z', alert({ severity: 'INFO' })), { channels: ['boss'], later: false });
  assert.deepEqual(told('2026-10-31T15:00:00Z', alert({ app: 'shop' })).channels, ['boss']);
  assert.deepEqual(escalation(alert(), policy), ['boss']);
  const own = alert({ app: 'shop', rule: 'channel_failing', details: { channel: 'boss' } });
  assert.deepEqual(told('2026-10-31T15:00:00Z', own).channels, []);
});
