/** Log-in through a real OpenID provider on loopback, and everything that must not get in that way. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, test } from 'node:test';
import { Provider } from 'oidc-provider';
import { type AccessServer, accessServer, type Browser } from '../support/access.ts';

const CALLBACK = 'http://holdfast.test/api/v1/session/oidc/callback';

let server: AccessServer;
let front: Server;
let issuer: string;
/** Who logs in at the provider, and in which groups they are there. */
let person = { sub: 'u-1', name: 'anna', groups: ['backup-admins'] as string[] };
/** What the provider's front does wrong. */
let spoiled: 'nothing' | 'keys' = 'nothing';

before(async () => {
  front = createServer();
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  issuer = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const provider = realProvider();
  const answer = provider.callback();
  front.on('request', (request, response) => {
    const { pathname } = new URL(request.url!, issuer);
    const json = (value: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    if (pathname === '/jwks' && spoiled === 'keys') return void json({ keys: [otherKey()] });
    if (pathname.startsWith('/interaction/'))
      return void provider.interactionFinished(request, response, { login: { accountId: person.sub }, consent: {} });
    void answer(request, response);
  });
  const roles = {
    claim: 'groups',
    map: { 'backup-admins': 'administrator', clinic: { role: 'viewer', apps: ['clinic'] } },
  };
  server = await accessServer(undefined, { oidc: { issuer, clientId: 'holdfast', clientSecret: 's3cret', roles } });
});
afterEach(() => {
  spoiled = 'nothing';
  person = { sub: 'u-1', name: 'anna', groups: ['backup-admins'] };
  server.settings = { ...server.settings }; // the provider is asked anew
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  front?.closeAllConnections();
  front?.close();
});

function realProvider(): Provider {
  const provider = new Provider(issuer, {
    clients: [
      {
        ...{ client_id: 'holdfast', client_secret: 's3cret', redirect_uris: [CALLBACK] },
        id_token_signed_response_alg: 'ES256',
      },
    ],
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups', 'email', 'email_verified'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    cookies: { keys: ['of a test'] },
    pkce: { required: () => true },
    jwks: { keys: [signingKey] },
    findAccount: (_context, sub) => ({
      accountId: sub,
      claims: () => ({
        ...{ sub, preferred_username: person.name, groups: person.groups },
        ...{ email: 'anna@clinic.example', email_verified: true },
      }),
    }),
    async loadExistingGrant(context) {
      const { client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client!.clientId, accountId: session!.accountId! });
      grant.addOIDCScope('openid profile');
      await grant.save();
      return grant;
    },
  });
  provider.on('server_error', (_context, error) => console.error(error));
  return provider;
}

const key = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
  kid: 'one',
});
const signingKey = { ...key(), use: 'sig', alg: 'ES256' };

function otherKey() {
  const { d: _private, ...open } = key();
  return { ...open, use: 'sig', alg: 'ES256' };
}

/** Where the provider sends the browser in the end. */
async function throughProvider(browser: Browser): Promise<URL> {
  const begun = await browser.ask('/api/v1/session/oidc', { method: 'POST' });
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const cookies = new Map<string, string>();
  let place = new URL(begun.body.url);
  assert.ok(place.searchParams.get('code_challenge'), 'with PKCE');
  for (let steps = 0; steps < 8 && place.host !== 'holdfast.test'; steps++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(place, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
      cookies.set(name!, value!);
    }
    place = new URL(response.headers.get('location') ?? assert.fail(await response.text()), place);
  }
  return place;
}

const comeBack = (browser: Browser, { pathname, search }: URL) =>
  browser.ask(pathname + search, { headers: { 'sec-fetch-site': 'cross-site' } });

test('whom the provider vouches for has an account of their own, and the roles of their groups of now', async () => {
  await server.account('anna', ['viewer', '*']);
  const browser = server.browser();
  const came = await comeBack(browser, await throughProvider(browser));
  assert.equal(came.status, 200, String(came.body.detail));
  assert.match(came.body, /http-equiv="refresh" content="0; url=\/"/);
  const [cookie] = came.headers.getSetCookie();
  assert.match(cookie!, /^holdfast-session=.*SameSite=Strict/);
  const { user } = (await browser.ask('/api/v1/session')).body;
  assert.match(user.name, /^oidc-[0-9a-f]{12}$/, 'not the account of the same name or e-mail');
  assert.deepEqual(user.grants, [{ app: '*', role: 'administrator' }]);
  person = { sub: 'u-1', name: 'anna', groups: ['clinic', 'chess'] };
  const again = server.browser();
  await comeBack(again, await throughProvider(again));
  const later = (await again.ask('/api/v1/session')).body.user;
  assert.equal(later.id, user.id);
  assert.deepEqual(later.grants, [{ app: 'clinic', role: 'viewer' }]);
  assert.equal((await browser.logIn(user.name)).body.code, 'login_refused', 'it has no password');
  person = { sub: 'u-2', name: 'ben', groups: ['clinic'] };
  const other = server.browser();
  await comeBack(other, await throughProvider(other));
  assert.equal((await other.ask('/api/v1/session')).body.user.name, 'ben');
});

const refused = async (browser: Browser, place: URL, why: RegExp) => {
  const answer = await comeBack(browser, place);
  assert.equal(answer.status, 401);
  assert.equal(answer.body.code, 'oidc_failed');
  assert.match(answer.body.detail, why);
  assert.equal(browser.cookies.has('holdfast-session'), false);
};

test('whoever is in no group of ours is refused', async () => {
  person = { sub: 'u-3', name: 'carla', groups: ['chess', 'constructor', '__proto__'] };
  const browser = server.browser();
  await refused(browser, await throughProvider(browser), /none of the groups/);
});

test('an answer counts once, in the browser that asked, with its own state and code', async () => {
  const browser = server.browser();
  const place = await throughProvider(browser);
  await refused(server.browser(), place, /not begun in this browser/);
  await refused(browser, place, /ended before/);
  const [first, second] = [await throughProvider(browser), await throughProvider(browser)];
  assert.equal((await comeBack(browser, second)).status, 200);
  const thief = server.browser();
  const third = await throughProvider(thief);
  third.searchParams.set('code', second.searchParams.get('code')!);
  await refused(thief, third, /invalid_grant|code/i);
  first.searchParams.set('state', 'x'.repeat(43));
  await refused(server.browser(), first, /not begun/);
});

test('a nonce that is another, an issuer that is another, a signature by another key: refused', async () => {
  const browser = server.browser();
  const place = await throughProvider(browser);
  await server.catalog.db.updateTable('oidc_logins').set({ nonce: 'another' }).execute();
  await refused(browser, place, /nonce/);
  const next = await throughProvider(browser);
  next.searchParams.set('iss', 'https://evil.example');
  await refused(browser, next, /iss/);
  spoiled = 'keys';
  server.settings = { ...server.settings };
  await refused(browser, await throughProvider(browser), /signature/);
});

test('anybody may begin a log-in, but only so many at once; those that nobody ended make room when their time is over', async () => {
  const { db } = server.catalog;
  const expires_at = server.clock.now() + 60_000;
  const begun = (n: number) => ({ state: `state-${n}`, browser: 'b', nonce: 'n', verifier: 'v', expires_at });
  await db.deleteFrom('oidc_logins').execute();
  for (let from = 0; from < 4_999; from += 1_000) {
    const length = Math.min(1_000, 4_999 - from);
    await db
      .insertInto('oidc_logins')
      .values(Array.from({ length }, (_, i) => begun(from + i)))
      .execute();
  }
  const begin = () => server.browser().ask('/api/v1/session/oidc', { method: 'POST' });
  assert.equal((await begin()).status, 200, 'the last that has room');
  const refusal = await begin();
  assert.deepEqual([refusal.status, refusal.body.code], [429, 'too_many_attempts']);
  await db.updateTable('oidc_logins').set({ expires_at: server.clock.now() }).execute();
  assert.equal((await begin()).status, 200);
});

test('a provider that is not the one it says it is, or is not there, lets nobody in', async () => {
  const { oidc } = server.settings;
  for (const wrong of [`${issuer}/other`, issuer.replace('127.0.0.1', 'localhost'), 'http://127.0.0.1:9']) {
    server.settings = { ...server.settings, oidc: { ...oidc!, issuer: wrong } };
    const answer = await server.browser().ask('/api/v1/session/oidc', { method: 'POST' });
    assert.equal(answer.body.code, 'oidc_failed');
  }
  server.settings = { ...server.settings, oidc: oidc! };
});
