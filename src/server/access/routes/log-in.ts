/** Coming in: the first administrator, log-in with a password, log-in through a provider, logging out. */
import { getCookie, setCookie } from 'hono/cookie';
import * as endpoints from '../../../api/access.ts';
import { Failure } from '../../../base/failure.ts';
import { appendAudit } from '../../../catalog/audit.ts';
import { endSession, type SessionRecord } from '../../../catalog/sessions.ts';
import { anyUser, type User } from '../../../catalog/users.ts';
import type { Api } from '../../api.ts';
import { pageResponse } from '../../page.ts';
import { time } from '../../views/times.ts';
import { accountName } from '../accounts.ts';
import { logIn } from '../log-in.ts';
import { accountOf } from '../oidc-account.ts';
import { checkNewPassword } from '../passwords.ts';
import { beginSession, cookieName, dropCookie, forCookies } from '../sessions.ts';
import { isSetupCode, setUp, setupRefused } from '../setup.ts';
import { type AccessParts, personOf } from '../world.ts';

const OIDC_COOKIE_S = 600;
const CALLBACK = '/api/v1/session/oidc/callback';

export function registerLogIn(api: Api, parts: AccessParts): void {
  const { catalog, db } = parts;

  api.route(endpoints.getLoginWays, async () => {
    const { oidc } = parts.settings;
    return { body: { setup_needed: !(await anyUser(db)), oidc: oidc === undefined ? null : { title: oidc.title } } };
  });

  api.route(endpoints.setUp, async ({ body: { code, name: written, password }, now }, context) => {
    const { address } = parts.originOf(context);
    const attempt = await parts.limits.begin('setup', address, now);
    const name = accountName(written);
    if (!(await isSetupCode(db, code, now))) throw setupRefused();
    checkNewPassword(password, name); // told before the code is used up
    const hashed = await parts.passwords.hash(password);
    const user = await setUp(catalog, { code, name, password: hashed, address }, now);
    await attempt.succeed(now);
    return { body: await parts.showUser(user) };
  });

  api.route(endpoints.logIn, async ({ body, now }, context) => {
    const origin = parts.originOf(context);
    const begun = await logIn(parts, body, { address: origin.address, now }, async (transaction, user) => {
      const times = parts.settings.sessions;
      return { user, session: await beginSession(transaction, context, { userId: user.id, origin, times, now }) };
    });
    return { body: await shown(begun.user, begun.session) };
  });

  api.route(endpoints.beginOidc, async ({ now }, context) => {
    const { secure } = parts.originOf(context);
    const redirect = new URL(parts.publicUrl(context) + CALLBACK);
    const { url, browser } = await provider().begin(db, redirect, now);
    setCookie(forCookies(context), cookieName('oidc', secure), browser, {
      ...{ path: '/', httpOnly: true, secure, sameSite: 'Lax', maxAge: OIDC_COOKIE_S },
    });
    return { body: { url: url.href } };
  });

  api.route(endpoints.endOidc, async ({ now, request }, context) => {
    const origin = parts.originOf(context);
    const came = new URL(parts.publicUrl(context) + CALLBACK + new URL(request.url).search);
    const browser = getCookie(context, cookieName('oidc', origin.secure)) ?? '';
    const vouched = await provider().end(db, came, browser, now);
    await catalog.transaction(async (transaction) => {
      const user = await accountOf(transaction, vouched, origin.address, now);
      await beginSession(transaction, context, { userId: user.id, origin, times: parts.settings.sessions, now });
    });
    return pageResponse(GO_ON);
  });

  api.route(endpoints.getSession, async ({ principal }) => {
    const { user, session } = personOf(principal);
    return { body: await shown(user, session) };
  });

  api.route(endpoints.logOut, async ({ principal, now }, context) => {
    const { session, actor } = personOf(principal);
    const { address } = parts.originOf(context);
    await catalog.transaction(async (transaction) => {
      await endSession(transaction, { hash: session.hash });
      await appendAudit(transaction, { actor, action: 'logout', address, outcome: 'ok' }, now);
    });
    dropCookie(context, parts.originOf(context));
    return {};
  });

  async function shown(user: User, session: SessionRecord) {
    const times = { created_at: time(session.created_at), expires_at: time(session.expires_at) };
    return { user: await parts.showUser(user), csrf: session.csrf, ...times };
  }

  function provider() {
    if (parts.oidc !== undefined) return parts.oidc;
    throw new Failure('oidc_failed', 'No OpenID provider is configured.', { hint: 'See "server.oidc" in the guide.' });
  }
}

/** The cookie of the session is for this site's own requests; a redirect from the provider would not carry it, what this page asks for does. */
const GO_ON =
  '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=/">' +
  '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>Logged in</title></head><body><p><a href="/">Logged in. Go on.</a></p></body></html>\n';
