/** Alerts: listed, acknowledged, resolved, muted; what was sent about them; the test of a channel. */
import { channelWorld } from '../../alerts/engine.ts';
import { testChannel } from '../../alerts/test-channel.ts';
import * as endpoints from '../../api/alerts.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import {
  type Alert,
  acknowledgeAlert,
  getAlert,
  listAlertRows,
  muteAlert,
  resolveAlert,
} from '../../catalog/alerts.ts';
import { listDeliveryRows, resendDelivery } from '../../catalog/deliveries.ts';
import { addMute, listMutes, removeMute } from '../../catalog/mutes.ts';
import type { Api, Call } from '../api.ts';
import { pageText } from '../json.ts';
import { showAlert, showDelivery, showMute } from '../views/alert.ts';
import { alertText, deliveryText } from '../views/alert-text.ts';

type OnAlert = Pick<Call<typeof endpoints.getAlert>, 'params' | 'allow'>;

export function registerAlerts(api: Api): void {
  const { catalog, clock, config } = api.deps;
  const { db } = catalog;

  api.route(endpoints.listAlerts, async ({ query: { app, state, severity, rule, storage, cursor, limit } }) => {
    const { rows, next } = await listAlertRows(db, {
      ...given('app', app),
      ...given('state', state),
      ...given('severity', severity),
      ...given('rule', rule),
      ...given('storage', storage),
      ...given('cursor', cursor),
      limit,
    });
    return { text: pageText(rows.map(alertText), next) };
  });

  api.route(endpoints.getAlert, async (call) => ({ body: showAlert(await seen(call)) }));

  api.route(endpoints.acknowledgeAlert, async (call) => {
    const { id } = await seen(call);
    return { body: showAlert(await acknowledgeAlert(db, id, by(call), call.now)) };
  });

  api.route(endpoints.resolveAlert, async (call) => {
    const { id } = await seen(call);
    return { body: showAlert(await resolveAlert(db, id, by(call), call.now)) };
  });

  api.route(endpoints.muteAlert, async (call) => {
    const { id } = await seen(call);
    const { until } = call.body;
    const end = until === null ? null : Date.parse(until);
    return { body: showAlert(await muteAlert(db, id, end, { by: call.principal.name }, call.now)) };
  });

  api.route(endpoints.listMutes, async ({ now }) => {
    const mutes = await listMutes(db, now);
    return { body: { items: mutes.map(showMute) }, keep: true, until: Math.min(...mutes.map(({ until }) => until)) };
  });

  api.route(endpoints.createMute, async ({ body: { until, reason, rule, app, storage, severity }, principal, now }) => {
    const matches = {
      ...given('rule', rule),
      ...given('app', app),
      ...given('storage', storage),
      ...given('severity', severity),
    };
    const mute = { matches, until: Date.parse(until), createdBy: principal.name, ...given('reason', reason) };
    return { body: showMute(await addMute(db, mute, now)) };
  });

  api.route(endpoints.deleteMute, async ({ params }) => {
    await removeMute(db, params.mute);
    return {};
  });

  api.route(endpoints.listDeliveries, async ({ query: { alert, channel, state, cursor, limit } }) => {
    const { rows, next } = await listDeliveryRows(db, {
      ...given('alert', alert),
      ...given('channel', channel),
      ...given('state', state),
      ...given('cursor', cursor),
      limit,
    });
    return { text: pageText(rows.map(deliveryText), next) };
  });

  api.route(endpoints.resendDelivery, async ({ params, now }) => ({
    body: showDelivery(await resendDelivery(db, params.delivery, now)),
  }));

  api.route(endpoints.listChannels, async () => {
    const { channels } = await config().alerts();
    return { body: { items: Object.entries(channels).map(([name, type]) => ({ name, type })) }, keep: true };
  });

  api.route(endpoints.testChannel, async ({ params, signal }) => {
    const world = channelWorld({ clock, source: 'holdfast' }, signal);
    return {
      body: showDelivery(
        await testChannel({ catalog, channel: (name) => config().channel(name), world }, params.channel),
      ),
    };
  });

  /** Throws `alert_unknown` for what may not be seen, too. */
  async function seen({ params, allow }: OnAlert): Promise<Alert> {
    const unknown = () => new Failure('alert_unknown', `There is no alert ${params.alert}.`);
    const alert = await getAlert(db, params.alert);
    if (alert === undefined) throw unknown();
    allow(alert.app ?? '*', unknown);
    return alert;
  }
}

function by({ principal, body }: Pick<Call<typeof endpoints.resolveAlert>, 'principal' | 'body'>) {
  return { by: principal.name, ...given('note', body.note) };
}
