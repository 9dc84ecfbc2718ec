/** That a browser's request which changes something comes from the service's own pages: by what the browser says, and by a token that only they know. */
import { Failure } from '../../base/failure.ts';
import { sameSecret } from './secrets.ts';

const FETCH_SITES: readonly (string | null)[] = [null, 'same-origin', 'none'];

/** `hosts`: what the service is called, with port. Throws `origin_refused`. Programs send neither header, and pass. */
export function requireSameOrigin(headers: Headers, hosts: readonly (string | undefined)[]): void {
  const site = headers.get('sec-fetch-site');
  if (!FETCH_SITES.includes(site)) throw refused(`it was sent by a page of another site (${site?.slice(0, 20)})`);
  const origin = headers.get('origin');
  if (origin === null) return;
  const host = URL.parse(origin)?.host;
  if (host === undefined || host === '' || !hosts.includes(host)) throw refused('its Origin is another site');
}

/** Throws `origin_refused`. */
export function requireCsrfToken(headers: Headers, expected: string): void {
  const given = headers.get('x-csrf-token');
  if (given === null) throw refused('the header X-CSRF-Token is missing');
  if (!sameSecret(given, expected)) throw refused('its X-CSRF-Token is not that of the session');
}

function refused(why: string): Failure {
  return new Failure('origin_refused', `A session's request that changes something was refused: ${why}.`, {
    hint: 'Send the "csrf" of GET /api/v1/session as X-CSRF-Token; programs use a token instead of a session.',
  });
}
