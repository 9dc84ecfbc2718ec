/** Alerts on SQLite and on PostgreSQL: one for each cause, whoever tells of it and however often at once; what reaches whom. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { routeNotices } from '../../src/alerts/router.ts';
import { asFailure } from '../../src/base/failure.ts';
import {
  acknowledgeAlert,
  clear,
  escalateOverdue,
  type Finding,
  getAlert,
  listAlerts,
  muteAlert,
  raise,
  raiseAll,
  resolveAlert,
  retentionFrozen,
} from '../../src/catalog/alerts.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { finishAttempt, listDeliveries, resendDelivery, takeDue } from '../../src/catalog/deliveries.ts';
import { readEvents } from '../../src/catalog/events.ts';
import { addMute, listMutes, removeMute } from '../../src/catalog/mutes.ts';
import { noteStorages, readStatus, readStorages, saveStatus } from '../../src/catalog/statuses.ts';
import type { AlertPolicy } from '../../src/config/alert-settings.ts';
import { policyOf } from '../support/alerts.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 21, 3);
const HOUR = 3_600_000;
const ANN = { by: 'ann', note: 'on it' };

let directory: TempDir;
let server: TestServer;
before(async () => {
  directory = await tempDir({ prefix: 'hf-alerts' });
  server = await startPostgres({ major: 17 });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await directory?.remove();
});

let made = 0;
const places = {
  SQLite: async () => ({ path: join(directory.path, `${++made}.sqlite`) }),
  PostgreSQL: async () => {
    const database = `alerts${++made}`;
    await server.sql(`create database ${database}`);
    return { url: server.url({ database }) };
  },
};

const failure = (more: Partial<Finding> = {}): Finding => ({
  ...{ rule: 'backup_failure', cause: 'backup_failure:clinic', severity: 'ERROR', app: 'clinic' },
  ...{ title: 'The backup failed', message: 'The disk is full.' },
  ...more,
});

const CHANNELS = `
    mail: { type: email, host: 127.0.0.1, from: a@x.example, to: [b@x.example] }
    pager: { type: pagerduty, routingKey: k }
    boss: { type: slack, url: "https://hooks.example/x" }`;

let routes: AlertPolicy;
let small: AlertPolicy;
before(async () => {
  routes = await policyOf(`
  channels:${CHANNELS}
  maxPerMinute: 1000
  fallback: [boss]
  routes:
    - { severity: [ERROR, CRITICAL], channels: [mail, pager], escalateAfter: 30m, escalateTo: [boss] }
    - { severity: [WARNING], hours: "08:00-18:00", channels: [mail] }`);
  small = await policyOf(`
  channels:${CHANNELS}
  maxPerMinute: 5
  routes: [{ channels: [mail, pager] }]`);
});

async function events(catalog: Catalog): Promise<string[]> {
  return (await readEvents(catalog.db, 0, 1000)).map(({ type }) => type);
}

async function told(catalog: Catalog): Promise<string[]> {
  const { deliveries } = await listDeliveries(catalog.db, { limit: 1000 });
  return deliveries.map(({ channel, event, state }) => `${channel} ${event} ${state}`).sort();
}

async function sendAll(catalog: Catalog, now: number): Promise<string[]> {
  const due = await takeDue(catalog.db, now, { holdMs: 60_000, perChannel: 1000, except: [] });
  for (const delivery of due) await finishAttempt(catalog.db, delivery, { state: 'sent' }, now);
  return due.map(({ channel, event }) => `${channel} ${event}`).sort();
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => asFailure(error).code,
  );

for (const [name, place] of Object.entries(places)) {
  describe(`alerts on ${name}`, () => {
    let catalog: Catalog;
    before(async () => {
      catalog = await openCatalog(await place());
    });
    after(() => catalog?.[Symbol.asyncDispose]());
    const reset = async () => {
      for (const table of ['alerts', 'deliveries', 'mutes', 'events', 'catalog_values'] as const)
        await catalog.db.deleteFrom(table).execute();
    };

    test('a cause told of by many at once is one alert that counts them, and one that is over is followed by a new one', async () => {
      await reset();
      const raised = await Promise.all(Array.from({ length: 20 }, () => raise(catalog.db, failure(), NOW)));
      assert.equal(raised.filter(({ what }) => what === 'raised').length, 1);
      const { alerts } = await listAlerts(catalog.db, { limit: 10 });
      assert.deepEqual(
        alerts.map(({ count, state }) => ({ count, state })),
        [{ count: 20, state: 'ACTIVE' }],
      );
      const over = await clear(catalog.db, 'backup_failure:clinic', NOW + 2 * HOUR + 600_000, 'Run 7 succeeded.');
      assert.deepEqual(over?.resolved, {
        at: NOW + 2 * HOUR + 600_000,
        note: 'Gone by itself after 2 h 10 min. Run 7 succeeded.',
      });
      assert.equal((await raise(catalog.db, failure(), NOW + 3 * HOUR)).what, 'raised');
      assert.equal((await listAlerts(catalog.db, { limit: 10 })).alerts.length, 2);
      assert.deepEqual(
        (await events(catalog)).filter((type) => type !== 'alert.changed'),
        ['alert.raised', 'alert.resolved', 'alert.raised'],
      );
    });

    test('raised and resolved by many at once, there is never more than one that is open', async () => {
      await reset();
      await Promise.all(
        Array.from({ length: 30 }, (_, at) =>
          at % 3 === 0 ? clear(catalog.db, 'backup_failure:clinic', NOW) : raise(catalog.db, failure(), NOW),
        ),
      );
      const { alerts } = await listAlerts(catalog.db, { state: ['ACTIVE'], limit: 100 });
      assert.ok(alerts.length <= 1);
      const { alerts: all } = await listAlerts(catalog.db, { limit: 100 });
      assert.equal(
        all.reduce((sum, { count }) => sum + count, 0),
        20,
      );
    });

    test('of two who resolve at once one is told that it was resolved already', async () => {
      await reset();
      const { alert } = await raise(catalog.db, failure(), NOW);
      const ends = await Promise.all(
        ['ann', 'ben', 'eve'].map((by) => codeOf(resolveAlert(catalog.db, alert.id, { by }, NOW + 1))),
      );
      assert.deepEqual(ends.sort(), ['alert_state', 'alert_state', 'done']);
      assert.equal(await codeOf(acknowledgeAlert(catalog.db, alert.id, ANN, NOW + 2)), 'alert_state');
      assert.equal(await codeOf(resolveAlert(catalog.db, 'x', ANN, NOW)), 'alert_unknown');
    });

    test('who acknowledged, resolved and muted, when and with which words, is kept', async () => {
      await reset();
      const { alert } = await raise(catalog.db, failure(), NOW);
      await muteAlert(catalog.db, alert.id, NOW + HOUR, { by: 'eve' }, NOW + 1);
      await acknowledgeAlert(catalog.db, alert.id, ANN, NOW + 2);
      await acknowledgeAlert(catalog.db, alert.id, { by: 'ben' }, NOW + 3);
      const { acknowledged, mutedBy, mutedUntil } = (await getAlert(catalog.db, alert.id))!;
      assert.deepEqual(acknowledged, { by: 'ann', at: NOW + 2, note: 'on it' });
      assert.deepEqual([mutedBy, mutedUntil], ['eve', NOW + HOUR]);
      const resolved = await resolveAlert(catalog.db, alert.id, { by: 'ben', note: 'disk replaced' }, NOW + 4);
      assert.deepEqual(resolved.resolved, { by: 'ben', at: NOW + 4, note: 'disk replaced' });
    });

    test('the same evidence is not counted twice, nor raised again after a person resolved it; what is worse is told', async () => {
      await reset();
      const seen = failure({ evidence: 'run 1', severity: 'WARNING' });
      const { alert } = await raise(catalog.db, seen, NOW);
      assert.equal((await raise(catalog.db, seen, NOW + 1)).what, 'same');
      assert.equal((await raise(catalog.db, { ...seen, severity: 'CRITICAL' }, NOW + 2)).what, 'worse');
      await resolveAlert(catalog.db, alert.id, ANN, NOW + 3);
      assert.equal((await raise(catalog.db, seen, NOW + 4)).what, 'answered');
      assert.equal((await raise(catalog.db, { ...seen, evidence: 'run 2' }, NOW + 5)).what, 'raised');
      await clear(catalog.db, seen.cause, NOW + 6);
      assert.equal((await raise(catalog.db, { ...seen, evidence: 'run 2' }, NOW + 7)).what, 'raised');
    });

    test('signs of an attack freeze retention until a person resolves them, whatever is seen later', async () => {
      await reset();
      const sign = failure({ rule: 'entropy_jump', cause: 'entropy_jump:clinic', freezesRetention: true });
      const { alert } = await raise(catalog.db, sign, NOW);
      assert.equal(await clear(catalog.db, sign.cause, NOW + 1), undefined);
      await acknowledgeAlert(catalog.db, alert.id, ANN, NOW + 2);
      assert.equal((await retentionFrozen(catalog.db, 'clinic'))?.id, alert.id);
      assert.equal((await retentionFrozen(catalog.db, '*'))?.id, alert.id); // who works on all apps asks for all
      assert.equal(await retentionFrozen(catalog.db, 'shop'), undefined);
      await resolveAlert(catalog.db, alert.id, ANN, NOW + 3);
      assert.equal(await retentionFrozen(catalog.db, 'clinic'), undefined);
    });

    test('routes are followed by severity and hour; follow-ups go to those who were told, in order', async () => {
      await reset();
      const { alert } = await raise(catalog.db, failure(), NOW);
      await raise(catalog.db, failure({ cause: 'w', severity: 'WARNING' }), NOW);
      await raise(catalog.db, failure({ cause: 'i', severity: 'INFO' }), NOW);
      await routeNotices(catalog, { policy: routes }, NOW);
      // at three in the morning the warning waits; for the information no route fits, so the fallback has it
      assert.deepEqual(await told(catalog), ['boss fire pending', 'mail fire pending', 'pager fire pending']);
      await resolveAlert(catalog.db, alert.id, ANN, NOW + 1);
      await routeNotices(catalog, { policy: routes }, NOW + 1);
      assert.deepEqual(await sendAll(catalog, NOW + 1), ['boss fire', 'mail fire', 'pager fire']);
      assert.deepEqual(await sendAll(catalog, NOW + 1), ['mail resolve', 'pager resolve']);
      await routeNotices(catalog, { policy: routes }, NOW + 6 * HOUR);
      assert.deepEqual(await sendAll(catalog, NOW + 6 * HOUR), ['mail fire']);
    });

    test('what nobody takes care of is escalated, again and again up to three times; what is acknowledged is not', async () => {
      await reset();
      const { alert } = await raise(catalog.db, failure(), NOW);
      const { alert: other } = await raise(catalog.db, failure({ cause: 'b' }), NOW);
      await routeNotices(catalog, { policy: routes }, NOW);
      await acknowledgeAlert(catalog.db, other.id, ANN, NOW + 1);
      assert.deepEqual(await escalateOverdue(catalog.db, NOW + HOUR / 2 - 1, 10), []);
      const rounds = [];
      for (let at = NOW + HOUR / 2; at < NOW + 5 * HOUR; at += HOUR / 2) {
        rounds.push((await escalateOverdue(catalog.db, at, 10)).map(({ id }) => id === alert.id));
        await routeNotices(catalog, { policy: routes }, at);
      }
      assert.deepEqual(rounds.flat(), [true, true, true]);
      assert.equal((await told(catalog)).filter((line) => line === 'boss escalate pending').length, 3);
    });

    test('what is muted is not sent until the mute is over, and then only if it still is', async () => {
      await reset();
      const mute = await addMute(
        catalog.db,
        { matches: { rule: 'backup_failure' }, until: NOW + HOUR, createdBy: 'ann' },
        NOW,
      );
      await raise(catalog.db, failure(), NOW);
      await raise(catalog.db, failure({ cause: 'gone' }), NOW);
      await routeNotices(catalog, { policy: routes }, NOW);
      assert.deepEqual(await told(catalog), []);
      await clear(catalog.db, 'gone', NOW + 1);
      await routeNotices(catalog, { policy: routes }, NOW + HOUR);
      assert.deepEqual(await told(catalog), ['mail fire pending', 'pager fire pending']);
      assert.equal((await listMutes(catalog.db, NOW)).length, 1);
      await removeMute(catalog.db, mute.id);
      assert.equal(await codeOf(removeMute(catalog.db, mute.id)), 'mute_unknown');
    });

    test('ten thousand at once become a few messages, and each is in one of them', async () => {
      await reset();
      const count = 10_000;
      for (let done = 0; done < count; done += 500)
        await raiseAll(
          catalog.db,
          Array.from({ length: 500 }, (_, at) => failure({ cause: `c${done + at}` })),
          NOW,
        );
      assert.equal(await routeNotices(catalog, { policy: small }, NOW), count);
      const waiting = await sendAll(catalog, NOW);
      assert.deepEqual(waiting, [...Array(5).fill('mail fire'), ...Array(5).fill('pager fire')]);
      assert.deepEqual(await sendAll(catalog, NOW + 30_000), ['mail digest']);
      assert.equal((await sendAll(catalog, NOW + 60_000)).length, 5); // the next minute of the pager
      const by = await catalog.db
        .selectFrom('deliveries')
        .select((eb) => ['channel', 'state', eb.fn.count('alert_id').distinct().as('alerts')])
        .where('event', '=', 'fire')
        .groupBy(['channel', 'state'])
        .execute();
      const alerts = (channel: string) =>
        by.filter((row) => row.channel === channel).reduce((sum, row) => sum + Number(row.alerts), 0);
      assert.deepEqual([alerts('mail'), alerts('pager')], [count, count]);
    });

    test('who sends and dies leaves it to the next; what was taken by another is not written over', async () => {
      await reset();
      await raise(catalog.db, failure(), NOW);
      await routeNotices(catalog, { policy: routes }, NOW);
      const options = { holdMs: 1000, perChannel: 10, except: ['pager'] };
      const [first] = await takeDue(catalog.db, NOW, options);
      assert.deepEqual(await takeDue(catalog.db, NOW + 1000 - 1, options), []);
      const [second] = await takeDue(catalog.db, NOW + 1000, options);
      assert.equal(second?.id, first?.id);
      assert.equal(await finishAttempt(catalog.db, first!, { state: 'sent' }, NOW + 1001), false);
      assert.equal(await finishAttempt(catalog.db, second!, { state: 'gave-up', error: 'gone' }, NOW + 1002), true);
      assert.equal((await resendDelivery(catalog.db, first!.id, NOW + HOUR)).state, 'pending');
      assert.equal(await codeOf(resendDelivery(catalog.db, first!.id, NOW + HOUR)), 'delivery_state');
    });

    test('many who take what is due at once never take the same', async () => {
      await reset();
      for (let at = 0; at < 20; at++) await raise(catalog.db, failure({ cause: `c${at}` }), NOW);
      await Promise.all([1, 2, 3].map(() => routeNotices(catalog, { policy: routes }, NOW)));
      const options = { holdMs: 1000, perChannel: 7, except: [] };
      const taken = await Promise.all(Array.from({ length: 6 }, () => takeDue(catalog.db, NOW, options)));
      const ids = taken.flat().map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      assert.equal((await told(catalog)).length, 40);
    });

    test('how storages were seen is kept with since when, changes are events, and what was seen earlier changes nothing', async () => {
      await reset();
      const report = { storages: [{ storage: 'r2', state: 'lost', message: 'no route' }] };
      await saveStatus(catalog.db, 'clinic', report, NOW);
      await noteStorages(catalog.db, [{ storage: 'r2', state: 'unreachable' }], NOW + HOUR);
      await noteStorages(catalog.db, [{ storage: 'r2', state: 'good' }], NOW + 1);
      assert.deepEqual(await readStorages(catalog.db), [
        { storage: 'r2', state: 'unreachable', at: NOW + HOUR, since: NOW },
      ]);
      assert.deepEqual(await readStatus(catalog.db, 'clinic'), { at: NOW, report });
      assert.deepEqual(await events(catalog), ['storage.state']);
    });
  });
}
