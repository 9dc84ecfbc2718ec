/** What takes two people, and the audit log, on both catalogs. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { appendAudit, auditHead } from '../../src/catalog/audit.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { revokeToken } from '../../src/catalog/tokens.ts';
import { verifyAudit } from '../../src/catalog/verify-audit.ts';
import { type AccessServer, type Browser, onBothCatalogs } from '../support/access.ts';

const DAY = 86_400_000;
const POINT = 'a'.repeat(64);

onBothCatalogs({ secondPerson: ['forget', 'restore'], approvals: { within: '1d' } }, (theServer) => {
  let server: AccessServer;
  before(() => {
    server = theServer();
  });

  const forget = (who: Browser) =>
    who.ask('/api/v1/runs', {
      ...{ method: 'POST', json: { kind: 'forget', app: 'clinic', params: { point: POINT }, reason: 'a mistake' } },
    });
  const decide = (who: Browser, id: string, what: string) =>
    who.ask(`/api/v1/approvals/${id}/${what}`, { method: 'POST' });
  const runs = () => server.catalog.db.selectFrom('runs').selectAll().execute();

  async function people() {
    await server.account('anna', ['administrator', '*']);
    await server.account('ben', ['administrator', 'clinic']);
    await server.account('carla', ['operator', '*']);
    return {
      anna: await server.loggedIn('anna'),
      ben: await server.loggedIn('ben'),
      carla: await server.loggedIn('carla'),
    };
  }

  test('a second person starts it; never the one who asked, nor a token of theirs, nor one that may not', async () => {
    const { anna, ben, carla } = await people();
    const asked = await forget(anna);
    assert.equal(asked.status, 202);
    assert.equal(asked.body.run, null);
    const id = asked.body.approval;
    assert.equal(asked.headers.get('location'), `/api/v1/approvals/${id}`);
    assert.deepEqual(await runs(), []);
    assert.equal((await decide(anna, id, 'approve')).body.code, 'approval_own');
    for (const { token } of [
      await server.token('administrator', { owner: 'anna' }),
      await server.token('administrator'),
    ]) {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await server.ask(`/api/v1/approvals/${id}/approve`, { method: 'POST', headers });
      assert.equal(answer.body.code, 'approval_own');
    }
    assert.equal((await decide(carla, id, 'approve')).body.code, 'forbidden');
    const listed = await ben.ask('/api/v1/approvals?state=pending');
    assert.deepEqual(
      listed.body.items.map((item: { requested_by: string }) => item.requested_by),
      ['anna'],
    );
    const approved = await decide(ben, id, 'approve');
    assert.equal(approved.status, 200);
    const [run] = await runs();
    assert.deepEqual(
      [run?.id, run?.kind, run?.app, run?.requested_by, run?.state],
      [approved.body.run, 'forget', 'clinic', 'anna', 'queued'],
    );
    assert.equal((await decide(ben, id, 'approve')).body.code, 'approval_decided');
    assert.equal((await runs()).length, 1);
  });

  test('what asked by a token is asked by its owner; of others, nobody hears of it', async () => {
    const { ben } = await people();
    const { token } = await server.token('operator', { owner: 'ben' });
    const answer = await server.ask('/api/v1/runs', {
      ...{ method: 'POST', headers: { authorization: `Bearer ${token}` } },
      json: { kind: 'restore', app: 'clinic', params: { to: '/srv/back' } },
    });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    assert.equal((await decide(ben, answer.body.approval, 'approve')).body.code, 'approval_own');
    await server.account('dora', ['administrator', 'shop']);
    const dora = await server.loggedIn('dora');
    assert.equal((await dora.ask(`/api/v1/approvals/${answer.body.approval}`)).body.code, 'approval_unknown');
    assert.deepEqual((await dora.ask('/api/v1/approvals')).body.items, []);
    assert.equal((await decide(ben, answer.body.approval, 'cancel')).body.state, 'cancelled');
  });

  test('nobody gets round the second person with a schedule', async () => {
    const { anna } = await people();
    const schedule = { kind: 'restore', app: 'clinic', cron: '* * * * *', params: { to: '/srv/back' } };
    const made = await anna.ask('/api/v1/schedules', { method: 'POST', json: schedule });
    assert.deepEqual([made.status, made.body.code], [403, 'forbidden'], JSON.stringify(made.body));
    const own = { kind: 'backup', app: 'clinic', cron: '@daily' };
    assert.equal((await anna.ask('/api/v1/schedules', { method: 'POST', json: own })).status, 201);
    await server.catalog.db.deleteFrom('schedules').execute();
  });

  test('after its time it is off', async () => {
    const { anna, ben } = await people();
    const { approval } = (await forget(anna)).body;
    await server.clock.advance(DAY);
    await ben.logIn('ben');
    assert.equal((await decide(ben, approval, 'approve')).body.code, 'approval_decided');
    assert.equal((await ben.ask(`/api/v1/approvals/${approval}`)).body.state, 'expired');
  });

  test('of what waits, each sees what is of their apps, however often it was asked for; what nobody decided is off at its time', async () => {
    const { anna, ben } = await people();
    await server.account('sam', ['viewer', 'shop']);
    const sam = await server.loggedIn('sam');
    const { approval } = (await forget(anna)).body;
    const states = async (who: Browser) =>
      (await who.ask('/api/v1/approvals')).body.items.map((item: { id: string; state: string }) => [
        item.id,
        item.state,
      ]);
    for (const _ of [1, 2])
      assert.deepEqual(await Promise.all([ben, sam, anna].map(states)), [
        [[approval, 'pending']],
        [],
        [[approval, 'pending']],
      ]);
    await server.clock.advance(DAY);
    assert.deepEqual(await states(await server.loggedIn('anna')), [[approval, 'expired']]);
  });

  test('of two people who approve and cancel at once, exactly one wins', async () => {
    const { anna, ben } = await people();
    for (let round = 0; round < 8; round++) {
      const { approval } = (await forget(anna)).body;
      const before = (await runs()).length;
      const [approved, cancelled] = await Promise.all([
        decide(ben, approval, 'approve'),
        decide(anna, approval, 'cancel'),
      ]);
      assert.deepEqual([approved.status, cancelled.status].sort(), [200, 409]);
      assert.equal((await runs()).length - before, approved.status === 200 ? 1 : 0);
    }
  });

  test('the audit log keeps log-ins, changes, refusals; its chain is verified outside of Holdfast', async () => {
    const { anna } = await people();
    await server.browser('203.0.113.9').logIn('anna', { password: 'wrong password' });
    await server.browser('203.0.113.9').logIn('correct horse', { password: 'typed in the wrong field' });
    await anna.ask('/api/v1/runs', { method: 'POST', json: { kind: 'backup', app: 'clinic' } });
    const { body } = await anna.ask('/api/v1/audit?limit=4');
    assert.deepEqual(
      body.items.map((entry: Record<string, string>) => [entry.actor, entry.action, entry.outcome, entry.app]),
      [
        ['user:anna', 'createRun', 'ok', 'clinic'],
        ['anonymous', 'login', 'refused', null],
        ['user:anna', 'login', 'refused', null],
        ['user:carla', 'login', 'ok', null],
      ],
    );
    assert.equal(body.items[1].address, '203.0.113.9');
    const exported = await anna.ask('/api/v1/audit/export');
    assert.equal(exported.headers.get('content-type'), 'application/jsonl');
    assert.ok(!exported.body.includes('horse'), 'what is typed as a name is not kept');
    let previous = '0'.repeat(64);
    for (const line of String(exported.body).trimEnd().split('\n')) {
      const { hash, ...rest } = JSON.parse(line);
      assert.equal(rest.previous, previous);
      assert.equal(createHash('sha256').update(JSON.stringify(rest)).digest('hex'), hash);
      previous = hash;
    }
    const csv = await anna.ask('/api/v1/audit/export?format=csv&action=login');
    assert.match(csv.body, /^seq,at,actor,/);
    assert.ok(!csv.body.includes('createRun'));
    const { seq, hash } = await auditHead(server.catalog.db);
    const sound = await anna.ask(`/api/v1/audit/verification?seq=${seq}&hash=${hash}`);
    assert.deepEqual([sound.body.whole, sound.body.entries], [true, seq]);
  });

  test('refusals are kept with who, what and from where; what is repeated is counted, and a flood shares one entry', async () => {
    const { clock, catalog } = server;
    await server.account('anna', ['administrator', '*']);
    await server.account('ben', ['viewer', 'clinic']);
    const ben = await server.loggedIn('ben', '203.0.113.20');
    const { seq: before } = await auditHead(catalog.db);
    const since = () => catalog.db.selectFrom('audit').selectAll().where('seq', '>', before).orderBy('seq').execute();
    const told = async () => (await since()).map(({ actor, action, outcome, app }) => [actor, action, outcome, app]);
    const run = (await createRun(catalog.db, { app: 'shop', kind: 'backup', trigger: 'api' }, clock.now())).run.id;
    for (let tries = 0; tries < 9; tries++) await ben.ask('/api/v1/users');
    await ben.ask('/api/v1/runs?app=shop');
    assert.equal((await ben.ask(`/api/v1/runs/${run}`)).body.code, 'run_unknown');
    assert.equal((await ben.ask(`/api/v1/runs/${'0'.repeat(26)}`)).body.code, 'run_unknown');
    await ben.ask('/api/v1/account/sessions', { method: 'DELETE', headers: { 'x-csrf-token': 'x'.repeat(43) } });
    await server.ask('/api/v1/runs?access_token=hft_pasted');
    const gone = await server.token('viewer');
    await revokeToken(catalog.db, gone.record.id, clock.now());
    await server.ask('/hft_pasted', { headers: { authorization: `Bearer ${gone.token}` } });
    const expected = [
      ['user:ben', 'listUsers', 'refused', null],
      ['user:ben', 'listRuns', 'refused', 'shop'],
      ['user:ben', 'getRun', 'refused', 'shop'],
      ['user:ben', 'endOtherSessions', 'refused', null],
      ['anonymous', 'listRuns', 'refused', null],
      ['test', 'token.create', 'ok', null],
      ['anonymous', 'request', 'refused', null],
    ];
    assert.deepEqual(await told(), expected);
    const kept = await since();
    assert.equal(kept[0]!.address, '203.0.113.20');
    assert.ok(!JSON.stringify(kept).includes('pasted'), 'what is pasted into an address is not kept');
    assert.equal(JSON.parse(kept.at(-1)!.details).token, gone.record.id);
    await clock.advance(60_000);
    await server.ask('/healthz');
    const counted = (await since()).at(-1)!;
    assert.deepEqual([counted.action, JSON.parse(counted.details).count], ['listUsers', 8]);
    const flood = Array.from({ length: 300 }, (_, at) => server.ask('/api/v1/runs', { from: `2001:db8:${at}::1` }));
    assert.ok((await Promise.all(flood)).every(({ status }) => status === 401));
    assert.ok((await since()).length < expected.length + 1 + 62, 'three hundred who are refused are sixty entries');
    await server.app[Symbol.asyncDispose]();
    const last = (await since()).at(-1)!;
    assert.match(last.details, /"count":2\d\d,.*more than can be told apart/);
    await verifyAudit(catalog);
  });

  test('entries of many at once stand one behind the other', async () => {
    const { catalog, clock } = server;
    const { seq } = await auditHead(catalog.db);
    const entry = (at: number) =>
      ({ actor: `user:${at}\0\ud800`, action: 'test', outcome: 'ok', details: { b: at, a: '=1' } }) as const;
    await Promise.all(Array.from({ length: 40 }, (_, at) => appendAudit(catalog.db, entry(at), clock.now())));
    await assert.rejects(
      catalog.transaction(async (db) => {
        await appendAudit(db, entry(41), clock.now());
        throw new Error('taken back');
      }),
      /taken back/,
    );
    assert.equal((await verifyAudit(catalog)).seq, seq + 40);
  });

  test('an entry that was changed, one that is missing, an end that is cut off, a log that was written anew: all show', async () => {
    const { catalog, clock } = server;
    const { db } = catalog;
    for (let at = 0; at < 4; at++)
      await appendAudit(db, { actor: 'user:anna', action: 'test', outcome: 'ok' }, clock.now());
    const head = await verifyAudit(catalog);
    const last = await db.selectFrom('audit').selectAll().where('seq', '=', head.seq).executeTakeFirstOrThrow();
    const middle = await db
      .selectFrom('audit')
      .selectAll()
      .where('seq', '=', head.seq - 1)
      .executeTakeFirstOrThrow();
    const broken = (message: RegExp) =>
      assert.rejects(verifyAudit(catalog, { known: head }), { code: 'audit_broken', message });
    const change = (values: object) => db.updateTable('audit').set(values).where('seq', '=', middle.seq).execute();
    await change({ actor: 'user:ben' });
    await broken(new RegExp(`entry ${middle.seq} was changed`));
    await change({ actor: middle.actor });
    await db.deleteFrom('audit').where('seq', '=', middle.seq).execute();
    await broken(new RegExp(`entry ${middle.seq} is missing`));
    await db.insertInto('audit').values(middle).execute();
    await db.deleteFrom('audit').where('seq', '=', last.seq).execute();
    await broken(/the end was cut off/);
    const values = { value: JSON.stringify({ seq: middle.seq, hash: middle.hash }) };
    await db.updateTable('catalog_values').set(values).where('key', '=', 'audit.head').execute();
    assert.equal((await verifyAudit(catalog)).seq, middle.seq, 'whoever writes both is not seen from inside');
    await broken(/no more, the one with the hash/);
  });
});
