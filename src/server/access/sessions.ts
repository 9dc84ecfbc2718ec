/** Sessions of browsers: a random cookie, whose hash is kept. */
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { CatalogDb } from '../../catalog/catalog.ts';
import { createSession, endSession, removeEndedSessions, type SessionRecord } from '../../catalog/sessions.ts';
import type { Origin } from './client-address.ts';
import { hashSecret, newSecret } from './secrets.ts';

export interface SessionTimes {
  /** Milliseconds. */
  readonly idle: number;
  readonly longest: number;
}

const AGENT_LENGTH = 200;
const COOKIE_FORM = /^[\w-]{43}$/;

/** With TLS a name that browsers accept from this very host only, and over TLS only. */
export function cookieName(kind: 'session' | 'oidc', secure: boolean): string {
  return `${secure ? '__Host-' : ''}holdfast-${kind}`;
}

/** A new one, after a log-in; the one that the browser had before ends. */
export async function beginSession(
  db: CatalogDb,
  context: Context,
  {
    userId,
    origin,
    times,
    now,
  }: { readonly userId: string; readonly origin: Origin; readonly times: SessionTimes; readonly now: number },
): Promise<SessionRecord> {
  const before = cookieOf(context, origin);
  if (before !== undefined) await endSession(db, { hash: hashSecret(before) });
  await removeEndedSessions(db, now, now - times.idle);
  const cookie = newSecret();
  const session = await createSession(
    db,
    {
      ...{
        hash: hashSecret(cookie),
        userId,
        csrf: newSecret(),
        expiresAt: now + times.longest,
        address: origin.address,
      },
      agent: context.req.header('user-agent')?.slice(0, AGENT_LENGTH),
    },
    now,
  );
  setCookie(forCookies(context), cookieName('session', origin.secure), cookie, {
    ...{ path: '/', httpOnly: true, secure: origin.secure, sameSite: 'Strict' },
    maxAge: Math.floor(Math.min(times.longest, LONGEST_COOKIE_MS) / 1_000),
  });
  return session;
}

/** Browsers, and the specification of cookies, take no more. */
const LONGEST_COOKIE_MS = 400 * 24 * 3_600_000;

/** By its age, or because it was not used. */
export function hasEnded(session: SessionRecord, { idle }: SessionTimes, now: number): boolean {
  return session.expires_at <= now || session.seen_at + idle <= now;
}

export function dropCookie(context: Context, { secure }: Origin): void {
  deleteCookie(forCookies(context), cookieName('session', secure), { path: '/', secure });
}

/** With an answer to set cookies on: without one Hono forgets them when a route answers with its own. */
export function forCookies(context: Context): Context {
  void context.res;
  return context;
}

/** Undefined: none that could be one of ours. */
export function cookieOf(context: Context, { secure }: Origin): string | undefined {
  const cookie = getCookie(context, cookieName('session', secure));
  return cookie !== undefined && COOKIE_FORM.test(cookie) ? cookie : undefined;
}
