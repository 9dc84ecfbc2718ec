/** Access on both catalogs: log-in, sessions, second factor, tokens, accounts, limits. */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { TOTP } from 'otpauth';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { replaceGrants } from '../../src/catalog/grants.ts';
import { createRun } from '../../src/catalog/runs.ts';
import { endSessionsOf } from '../../src/catalog/sessions.ts';
import { findToken, revokeToken } from '../../src/catalog/tokens.ts';
import { findUserByName } from '../../src/catalog/users.ts';
import { ServerKey } from '../../src/server/access/server-key.ts';
import { newSetupCode } from '../../src/server/access.ts';
import { type AccessServer, type Browser, LONG, onBothCatalogs } from '../support/access.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const SESSION = '/api/v1/session';

const KEY = 'a long key that two servers have in common';

onBothCatalogs({ sessions: { idle: '1h', longest: '1d' }, key: KEY }, (theServer) => {
  let server: AccessServer;
  before(() => {
    server = theServer();
  });

  const code = (secret: string) => new TOTP({ secret }).generate({ timestamp: server.clock.now() });

  async function withTotp(browser: Browser): Promise<{ readonly secret: string; readonly recovery: string[] }> {
    const begun = await browser.ask('/api/v1/account/totp', { method: 'POST', json: { password: LONG } });
    assert.equal(begun.status, 201);
    assert.match(begun.body.uri, /^otpauth:\/\/totp\/Holdfast:anna\?/);
    const { secret } = begun.body;
    const wrong = await browser.ask('/api/v1/account/totp', { method: 'PUT', json: { code: '000000' } });
    assert.equal(wrong.body.code, 'login_refused');
    const done = await browser.ask('/api/v1/account/totp', { method: 'PUT', json: { code: code(secret) } });
    assert.equal(done.status, 200);
    await server.clock.advance(31 * SECOND);
    return { secret, recovery: done.body.recovery_codes };
  }

  test('whoever has the code of the console becomes the first administrator, once', async () => {
    const { clock, catalog } = server;
    const setUp = (given: string, who: string) =>
      server.ask('/api/v1/setup', { method: 'POST', json: { code: given, name: who, password: LONG } });
    const old = (await newSetupCode(catalog, clock.now()))!;
    const printed = (await newSetupCode(catalog, clock.now()))!;
    assert.equal((await server.ask('/api/v1/login')).body.setup_needed, true);
    assert.equal((await setUp(old, 'anna')).body.code, 'setup_refused');
    await clock.advance(DAY);
    assert.equal((await setUp(printed, 'anna')).body.code, 'setup_refused', 'a day later it is void');
    const fresh = (await newSetupCode(catalog, clock.now()))!;
    const weak = await server.ask('/api/v1/setup', {
      ...{ method: 'POST', json: { code: fresh, name: 'anna', password: 'short' } },
    });
    assert.equal(weak.body.code, 'password_refused');
    const answers = await Promise.all(['anna', 'ben', 'carl'].map((who) => setUp(fresh.toUpperCase(), who)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 403, 403]);
    const user = answers.find(({ status }) => status === 201)!.body;
    assert.deepEqual(user.grants, [{ app: '*', role: 'administrator' }]);
    assert.equal(await newSetupCode(catalog, clock.now()), undefined);
    assert.equal((await setUp(fresh, 'dora')).body.code, 'setup_refused');
    assert.equal((await server.ask('/api/v1/login')).body.setup_needed, false);
  });

  test('a session: its cookie, its end by time, by idleness, by log-out; a new one at each log-in', async () => {
    await server.account('anna', ['viewer', '*']);
    const browser = server.browser();
    const answer = await browser.logIn('ANNA');
    const [cookie = ''] = answer.headers.getSetCookie();
    assert.match(cookie, /^holdfast-session=[\w-]{43}; /);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) assert.ok(cookie.includes(part), part);
    const seen = await browser.ask(SESSION);
    assert.equal(seen.body.user.name, 'anna');
    assert.equal(seen.body.csrf, browser.csrf);
    const first = browser.cookies.get('holdfast-session')!;
    await browser.logIn('anna');
    const old = await server.ask(SESSION, { headers: { cookie: `holdfast-session=${first}` } });
    assert.equal(old.status, 401, 'the one before has ended');
    const kept = await server.catalog.db.selectFrom('sessions').selectAll().execute();
    assert.ok(!JSON.stringify(kept).includes(browser.cookies.get('holdfast-session')!), 'only its hash is kept');

    await server.clock.advance(59 * 60 * SECOND);
    assert.equal((await browser.ask(SESSION)).status, 200);
    await server.clock.advance(HOUR);
    assert.equal((await browser.ask(SESSION)).status, 401, 'idle for an hour');
    await browser.logIn('anna');
    for (let hour = 0; hour < 24; hour++) {
      assert.equal((await browser.ask(SESSION)).status, 200);
      await server.clock.advance(59 * 60 * SECOND);
    }
    await server.clock.advance(HOUR / 2);
    assert.equal((await browser.ask(SESSION)).status, 401, 'a day old');
    await browser.logIn('anna');
    const copy = browser.cookies.get('holdfast-session')!;
    assert.equal((await browser.ask(SESSION, { method: 'DELETE' })).status, 204);
    assert.equal(browser.cookies.size, 0);
    assert.equal((await server.ask(SESSION, { headers: { cookie: `holdfast-session=${copy}` } })).status, 401);
  });

  test('sessions of an account are listed and ended, its own only; a new password ends the others', async () => {
    await server.account('anna', ['viewer', '*']);
    await server.account('ben', ['viewer', '*']);
    const [here, there, bens] = [
      await server.loggedIn('anna'),
      await server.loggedIn('anna'),
      await server.loggedIn('ben'),
    ];
    const { items } = (await here.ask('/api/v1/account/sessions')).body;
    assert.deepEqual(
      items.map((each: { current: boolean }) => each.current),
      [false, true],
    );
    const other = `/api/v1/account/sessions/${items[0].id}`;
    assert.equal((await bens.ask(other, { method: 'DELETE' })).body.code, 'session_unknown');
    assert.equal((await here.ask(other, { method: 'DELETE' })).status, 204);
    assert.equal((await there.ask(SESSION)).status, 401);
    await there.logIn('anna');
    const change = { method: 'PUT', json: { current: 'not it at all', new: 'another long password' } };
    assert.equal((await here.ask('/api/v1/account/password', change)).body.code, 'login_refused');
    const right = { method: 'PUT', json: { current: LONG, new: 'another long password' } };
    assert.equal((await here.ask('/api/v1/account/password', right)).status, 204);
    assert.equal((await there.ask(SESSION)).status, 401);
    assert.equal((await here.ask(SESSION)).status, 200);
    assert.equal((await server.browser().logIn('anna')).body.code, 'login_refused');
    assert.equal((await server.browser().logIn('anna', { password: 'another long password' })).status, 201);
  });

  test('what changes something is refused without the token of the session, or from another site', async () => {
    await server.account('anna', ['administrator', '*']);
    const browser = await server.loggedIn('anna');
    const ask = (headers: Record<string, string>) =>
      browser.ask('/api/v1/account/sessions', { method: 'DELETE', headers });
    for (const headers of [
      { 'x-csrf-token': '' },
      { 'x-csrf-token': 'x'.repeat(43) },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.test' },
      { origin: 'null' },
    ] as Record<string, string>[])
      assert.equal((await ask(headers)).body.code, 'origin_refused', JSON.stringify(headers));
    assert.equal((await ask({ origin: 'http://holdfast.test' })).status, 200);
    const login = {
      method: 'POST',
      json: { name: 'anna', password: LONG },
      headers: { origin: 'https://evil.test' },
    };
    assert.equal((await server.ask(SESSION, login)).body.code, 'origin_refused', 'nobody is logged in from elsewhere');
    const reading = await browser.ask(SESSION, { headers: { 'sec-fetch-site': 'cross-site' } });
    assert.equal(reading.status, 200, 'reading is what other sites cannot see the answer of');
  });

  test('an authenticator: no code works twice, nor at two servers at once; a recovery code works once', async () => {
    await server.account('anna', ['viewer', '*']);
    const browser = await server.loggedIn('anna');
    const { secret, recovery } = await withTotp(browser);
    assert.equal((await server.browser().logIn('anna')).body.code, 'second_factor_needed');
    assert.equal((await server.browser().logIn('anna', { password: 'wrong' })).body.code, 'login_refused');
    const now = code(secret);
    const both = await Promise.all([1, 2].map(() => server.browser().logIn('anna', { code: now })));
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 401]);
    assert.equal((await server.browser().logIn('anna', { code: now })).body.code, 'login_refused');
    await server.clock.advance(31 * SECOND);
    const early = new TOTP({ secret }).generate({ timestamp: server.clock.now() - 60 * SECOND });
    assert.equal((await server.browser().logIn('anna', { code: early })).body.code, 'login_refused', 'too old');
    const typed = recovery[0]!.toUpperCase().replaceAll('-', ' ');
    const used = await Promise.all([1, 2].map(() => server.browser().logIn('anna', { code: typed })));
    assert.deepEqual(used.map(({ status }) => status).sort(), [201, 401]);
    const removed = { method: 'POST', json: { password: LONG, code: code(secret) } };
    assert.equal((await browser.ask('/api/v1/account/totp/remove', removed)).status, 204);
    assert.equal((await server.browser().logIn('anna')).status, 201);
  });

  test('the secret of an authenticator is sealed under a key that is not in the catalog, for this account alone', async () => {
    const { db } = server.catalog;
    await server.account('anna', ['viewer', '*']);
    await server.account('ben', ['viewer', '*']);
    const { secret, recovery } = await withTotp(await server.loggedIn('anna'));
    const users = await db.selectFrom('users').selectAll().orderBy('name').execute();
    assert.ok(!JSON.stringify(users).includes(secret));
    const { totp_secret: sealed } = users[0]!;
    await db.updateTable('users').set({ totp_secret: sealed }).where('name', '=', 'ben').execute();
    assert.equal((await server.browser().logIn('ben', { code: code(secret) })).body.code, 'server_key_wrong');
    const { settings } = server;
    const { key: _key, ...keyless } = settings;
    server.settings = { ...settings, key: 'another key, of thirty-two characters' };
    assert.equal((await server.browser().logIn('anna', { code: code(secret) })).body.code, 'server_key_wrong');
    assert.equal((await server.browser().logIn('anna', { code: recovery[0]! })).status, 201, 'that needs no key');
    server.settings = keyless;
    assert.equal((await server.browser().logIn('anna', { code: code(secret) })).body.code, 'server_key_missing');
    await server.account('carla', ['viewer', '*']);
    const carla = await server.loggedIn('carla');
    const begun = await carla.ask('/api/v1/account/totp', { method: 'POST', json: { password: LONG } });
    if (server.keyFile === undefined) {
      assert.deepEqual([begun.status, begun.body.code], [409, 'server_key_missing']);
      assert.match(begun.body.hint, /server\.key/);
    } else {
      assert.equal((await stat(server.keyFile)).mode & 0o777, 0o600);
      const text = await readFile(server.keyFile, 'utf8');
      const made = await Promise.all(
        Array.from({ length: 8 }, () => new ServerKey({ file: server.keyFile }).seal('x', 'y')),
      );
      for (const each of made) assert.equal(await new ServerKey({ configured: text.trim() }).open(each, 'y'), 'x');
      await writeFile(server.keyFile, '');
      await assert.rejects(new ServerKey({ file: server.keyFile }).open(made[0]!, 'y'), { code: 'server_key_wrong' });
    }
    server.settings = settings;
    assert.equal((await server.browser().logIn('anna', { code: code(secret) })).status, 201);
  });

  test('a cookie that somebody planted is not adopted, and an address that a stranger names is not believed', async () => {
    await server.account('anna', ['viewer', '*']);
    const planted = 'x'.repeat(43);
    const browser = server.browser();
    browser.cookies.set('holdfast-session', planted);
    assert.equal((await browser.logIn('anna')).status, 201);
    assert.notEqual(browser.cookies.get('holdfast-session'), planted);
    assert.equal((await server.ask(SESSION, { headers: { cookie: `holdfast-session=${planted}` } })).status, 401);
    const guess = (at: number, headers: Record<string, string>) =>
      server.ask(SESSION, {
        ...{ method: 'POST', json: { name: 'anna', password: 'a wrong password' }, from: '203.0.113.66' },
        headers: { ...headers, 'x-forwarded-for': `198.51.100.${at}`, 'x-real-ip': `198.51.100.${at}` },
      });
    const codes: string[] = [];
    for (let at = 0; at < 7; at++) codes.push((await guess(at, { forwarded: `for=198.51.100.${at}` })).body.code);
    assert.equal(codes.at(-1), 'too_many_attempts');

    const { settings } = server;
    server.settings = { ...settings, trustedProxies: ['203.0.113.66'] };
    assert.equal((await guess(1, {})).body.code, 'login_refused', 'a proxy that is trusted says who asks');
    server.settings = settings;
  });

  test('a stream of events ends soon after its listener was logged out, disabled or lost the role', async () => {
    await server.account('anna', ['administrator', '*']);
    await server.account('ben', ['viewer', '*']);
    const anna = await server.loggedIn('anna');
    const { token } = await server.token('viewer', { owner: 'ben' });
    const stream = async (headers: Record<string, string>) => {
      const response = await server.app.fetch(new Request('http://holdfast.test/api/v1/events', { headers }), {});
      assert.equal(response.status, 200);
      return { text: response.text() }; // there when it has ended
    };
    const ends = async (opened: readonly { readonly text: Promise<string> }[]) => {
      for (let quiet = 0; quiet < 3; quiet++) await server.clock.advance(16 * SECOND);
      for (const { text } of opened) assert.match(await text, /^retry:/);
    };
    const bearer = { authorization: `Bearer ${token}` };
    const ben = await server.loggedIn('ben');
    const cookie = () => ({ cookie: `holdfast-session=${ben.cookies.get('holdfast-session')}` });
    const first = await stream(cookie());
    await ben.ask(SESSION, { method: 'DELETE' });
    await ends([first]);
    await ben.logIn('ben');
    const second = [await stream(cookie()), await stream(bearer)];
    await anna.ask('/api/v1/users/ben/grants/*', { method: 'DELETE' });
    await ends(second);
    await anna.ask('/api/v1/users/ben/grants/*', { method: 'PUT', json: { role: 'viewer' } });
    const third = [await stream(bearer)];
    await anna.ask('/api/v1/users/ben', { method: 'PATCH', json: { disabled: true } });
    await ends(third);
  });

  test('tokens: never more than role, apps, scopes and owner; void at once when revoked, expired, or the owner is disabled', async () => {
    await server.account('anna', ['administrator', '*']);
    await server.account('ben', ['operator', 'clinic']);
    const anna = await server.loggedIn('anna');
    const ben = await server.loggedIn('ben');
    const made = await ben.ask('/api/v1/tokens', {
      method: 'POST',
      json: { name: 'ci', role: 'administrator', expires_at: new Date(server.clock.now() + DAY).toISOString() },
    });
    assert.equal(made.status, 201);
    const { token, record } = made.body;
    assert.match(token, /^hft_[0-9a-hjkmnp-tv-z]{85}$/);
    const as = (given: string, path: string, method = 'GET') =>
      server.ask(path, { method, headers: { authorization: `Bearer ${given}` } });
    assert.equal((await as(token, '/api/v1/runs?app=clinic')).status, 200);
    assert.equal((await as(token, '/api/v1/runs?app=shop')).body.code, 'forbidden', 'its owner may not');
    assert.equal((await as(token, '/api/v1/users')).body.code, 'forbidden');
    assert.equal((await as(token, '/api/v1/account/sessions')).body.code, 'forbidden', 'that is for persons');
    assert.equal((await as(token, '/api/v1/tokens', 'POST')).body.code, 'forbidden');
    const spoiled = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
    assert.equal((await as(spoiled, '/api/v1/runs')).body.code, 'unauthenticated');
    assert.ok(!JSON.stringify(await server.catalog.db.selectFrom('tokens').selectAll().execute()).includes(token));
    const reads = await server.token('operator', { scopes: ['runs:read'] });
    assert.equal((await as(reads.token, '/api/v1/runs?app=shop')).status, 200);
    assert.equal((await as(reads.token, '/api/v1/workers')).body.code, 'forbidden');
    assert.equal((await as(reads.token, '/api/v1/runs', 'POST')).body.code, 'forbidden');

    assert.equal((await ben.ask(`/api/v1/tokens/${reads.record.id}`, { method: 'DELETE' })).body.code, 'token_unknown');
    const disable = (disabled: boolean) => anna.ask('/api/v1/users/ben', { method: 'PATCH', json: { disabled } });
    assert.equal((await disable(true)).status, 200);
    assert.equal((await as(token, '/api/v1/runs?app=clinic')).body.code, 'unauthenticated');
    assert.equal((await ben.ask(SESSION)).status, 401);
    assert.equal((await disable(false)).status, 200);
    assert.equal((await as(token, '/api/v1/runs?app=clinic')).status, 200);
    await server.clock.advance(DAY);
    assert.match((await as(token, '/api/v1/runs?app=clinic')).body.hint, /expired/);
    await anna.logIn('anna');
    assert.equal((await anna.ask(`/api/v1/tokens/${reads.record.id}`, { method: 'DELETE' })).status, 204);
    assert.match((await as(reads.token, '/api/v1/runs')).body.hint, /revoked/);
    assert.equal((await anna.ask(`/api/v1/tokens/${record.id}`, { method: 'DELETE' })).status, 204);
  });

  test('what another process writes holds with the next request, however often and by how many it was asked before', async () => {
    await server.account('anna', ['administrator', '*']);
    const anna = await server.loggedIn('anna');
    const { token, record } = await server.token('administrator', { owner: 'anna' });
    const program = server.holding(token);
    const statuses = async (path: string) => {
      const asked = [anna, program, anna, program].map((who) => who.ask(path));
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    const runs = async () => (await program.ask('/api/v1/runs')).body.items.length;
    assert.deepEqual(await statuses('/api/v1/runs'), [200, 200, 200, 200]);
    assert.equal(await runs(), 0);
    await using other = await openCatalog(server.place);
    const { id } = (await findUserByName(other.db, 'anna'))!;
    await createRun(other.db, { app: 'clinic', kind: 'backup', trigger: 'api' }, server.clock.now());
    assert.equal(await runs(), 1);
    await replaceGrants(other.db, id, [{ app: 'shop', role: 'viewer' }]);
    assert.deepEqual(await statuses('/api/v1/runs'), [403, 403, 403, 403]);
    assert.deepEqual(await statuses('/api/v1/runs?app=shop'), [200, 200, 200, 200]);
    await replaceGrants(other.db, id, [{ app: '*', role: 'viewer' }]);
    assert.deepEqual(await statuses('/api/v1/runs'), [200, 200, 200, 200]);
    await endSessionsOf(other.db, id);
    assert.deepEqual(await statuses('/api/v1/runs'), [401, 200, 401, 200]);
    await revokeToken(other.db, record.id, server.clock.now());
    assert.deepEqual(await statuses('/api/v1/runs'), [401, 401, 401, 401]);
  });

  test('when a token or a session was used last is known to the minute', async () => {
    await server.account('anna', ['viewer', '*']);
    const anna = await server.loggedIn('anna');
    const { token, record } = await server.token('viewer');
    const seen = async () => {
      await Promise.all([anna, server.holding(token), server.holding(token)].map((who) => who.ask('/api/v1/runs')));
      const { db } = server.catalog;
      const [session] = await db.selectFrom('sessions').select('seen_at').execute();
      return [(await findToken(db, record.id))!.used_at, session!.seen_at];
    };
    const first = server.clock.now();
    assert.deepEqual(await seen(), [first, first]);
    await server.clock.advance(59_000);
    assert.deepEqual(await seen(), [first, first]);
    await server.clock.advance(1_000);
    assert.deepEqual(await seen(), [first + 60_000, first + 60_000]);
  });

  test('accounts are administrated; two administrators cannot take each other the last right at once', async () => {
    await server.account('anna', ['administrator', '*']);
    await server.account('ben', ['administrator', '*']);
    const [anna, ben] = [await server.loggedIn('anna'), await server.loggedIn('ben')];
    const add = { name: 'Carla', password: LONG, grants: [{ app: 'clinic', role: 'viewer' }] };
    assert.equal((await anna.ask('/api/v1/users', { method: 'POST', json: add })).status, 201);
    assert.equal((await anna.ask('/api/v1/users', { method: 'POST', json: add })).body.code, 'user_exists');
    const carla = await server.loggedIn('carla');
    assert.equal((await carla.ask('/api/v1/runs?app=shop')).body.code, 'forbidden');
    const grant = { method: 'PUT', json: { role: 'viewer' } };
    assert.equal((await anna.ask('/api/v1/users/carla/grants/*', grant)).status, 200);
    assert.equal((await carla.ask('/api/v1/runs?app=shop')).status, 200, 'holds at once');
    assert.equal((await carla.ask('/api/v1/users')).body.code, 'forbidden');
    assert.equal((await anna.ask('/api/v1/users/nobody')).body.code, 'user_unknown');
    const answers = await Promise.all([
      anna.ask('/api/v1/users/ben', { method: 'DELETE' }),
      ben.ask('/api/v1/users/anna/grants/*', { method: 'PUT', json: { role: 'operator' } }),
    ]);
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status < 300).length, 1, String(statuses));
  });

  test('guessing is slowed down, for the account at that address; whoever was here before gets in', async () => {
    await server.account('anna', ['viewer', '*']);
    await server.loggedIn('anna', '198.51.100.7');
    const guess = (who: string, from: string) => server.browser(from).logIn(who, { password: 'a wrong password' });
    for (let tries = 0; tries < 6; tries++) {
      assert.equal((await guess('anna', '203.0.113.1')).body.code, 'login_refused');
      assert.equal((await guess('nobody', '203.0.113.2')).body.code, 'login_refused');
    }
    const waits: unknown[] = [];
    for (const who of ['anna', 'nobody']) {
      const refused = await guess(who, who === 'anna' ? '203.0.113.1' : '203.0.113.2');
      assert.equal(refused.status, 429);
      waits.push(refused.body.detail);
    }
    assert.equal(waits[0], waits[1], 'the same for accounts that do not exist');
    assert.equal((await server.browser('203.0.113.1').logIn('anna')).status, 429, 'also with the right one');
    assert.equal((await server.browser('198.51.100.7').logIn('anna')).status, 201);
    await server.clock.advance(2 * SECOND);
    assert.equal((await guess('anna', '203.0.113.1')).body.code, 'login_refused');
    await server.clock.advance(SECOND);
    assert.equal((await guess('anna', '203.0.113.1')).status, 429, 'twice as long');
    await server.clock.advance(HOUR);
    assert.equal((await server.browser('203.0.113.1').logIn('anna')).status, 201);

    // From everywhere at once: the account gets slow for strangers, and stays open where it is known.
    await Promise.all(Array.from({ length: 51 }, (_, at) => guess('anna', `203.0.113.${at + 50}`)));
    assert.equal((await guess('anna', '203.0.113.250')).status, 429);
    assert.equal((await server.browser('198.51.100.7').logIn('anna')).status, 201);
  });
});
