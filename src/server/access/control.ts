/** Access as the server uses it: who asks, what waits for a second person, what the audit log keeps, and the routes of all that. */
import type { Context } from 'hono';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { appendAudit } from '../../catalog/audit.ts';
import { findSession } from '../../catalog/sessions.ts';
import type { AccessControl, Answered, Failed } from '../principal.ts';
import { askSecondPerson } from './approvals.ts';
import { placeOf } from './client-address.ts';
import { type Identity, identityOf, type Person, TokenHolder } from './identity.ts';
import { entryOf, isRecorded, writesItself } from './recorded.ts';
import { registerAccount } from './routes/account.ts';
import { registerApprovals } from './routes/approvals.ts';
import { registerAudit } from './routes/audit.ts';
import { registerLogIn } from './routes/log-in.ts';
import { registerTokens } from './routes/tokens.ts';
import { registerUsers } from './routes/users.ts';
import { requireCsrfToken, requireSameOrigin } from './same-origin.ts';
import { requireScope, SAFE_METHODS } from './scopes.ts';
import { cookieOf, hasEnded } from './sessions.ts';
import { requireForm, stillHolder } from './tokens.ts';
import { holderOfSession } from './visitors.ts';
import { type AccessDeps, AccessParts } from './world.ts';

const BEARER = /^Bearer +(\S{1,200})$/i;
/** Whoever logs in has no token of a session yet; where they come from is checked all the same. */
const WAYS_IN = ['/api/v1/session', '/api/v1/session/oidc', '/api/v1/setup'];

export function createAccess(deps: AccessDeps): AccessControl {
  const parts = new AccessParts(deps);
  return {
    authenticate: (context) => authenticate(parts, context),
    register: (api) => {
      for (const register of [
        registerLogIn,
        registerAccount,
        registerTokens,
        registerUsers,
        registerApprovals,
        registerAudit,
      ])
        register(api, parts);
    },
    still: (principal) => still(parts, identityOf(principal)),
    takesTwo: (kind) => parts.settings.secondPerson.includes(kind),
    hold: async (asked, principal) => {
      const { secondPerson, approvals } = parts.settings;
      if (!secondPerson.includes(asked.kind)) return undefined;
      const when = { now: deps.clock.now(), within: approvals.within };
      const { id } = await askSecondPerson(deps, asked, identityOf(principal), when);
      return { approval: id };
    },
    answered: (answered, context) => noteAnswer(parts, answered, context),
    failed: (failed, context) => noteFailure(parts, failed, context),
    close: () => parts.refusals.close(deps.clock.now()),
  };
}

async function authenticate(parts: AccessParts, context: Context): Promise<Identity | undefined> {
  const origin = parts.originOf(context);
  const now = parts.deps.clock.now();
  await parts.refusals.writeDue(now);
  if (origin.secure) context.set('secure', true);
  const { method, path } = context.req;
  const authorization = context.req.header('authorization');
  if (authorization !== undefined) {
    const token = tokenOf(authorization);
    const holder = await parts.visitors.ofToken(token, { version: await newestVersion(parts, context), now });
    context.set('principal', holder); // whoever is refused from here on is known
    requireScope(holder.scopes, method, path);
    return holder;
  }
  const changes = !SAFE_METHODS.includes(method);
  const person = await personOfCookie(parts, context, now);
  context.set('principal', person);
  if (changes) requireSameOrigin(context.req.raw.headers, [origin.host, URL.parse(parts.settings.url ?? '')?.host]);
  if (person !== undefined && changes && !(method === 'POST' && WAYS_IN.includes(path)))
    requireCsrfToken(context.req.raw.headers, person.session.csrf);
  return person;
}

/** Throws `unauthenticated` for what cannot be a token of ours, without a look into the catalog. */
function tokenOf(authorization: string): string {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined)
    throw new Failure('unauthenticated', 'The header Authorization is not "Bearer" with a token.');
  requireForm(token);
  return token;
}

async function personOfCookie(parts: AccessParts, context: Context, now: number): Promise<Person | undefined> {
  const cookie = cookieOf(context, parts.originOf(context));
  if (cookie === undefined) return undefined;
  const moment = { version: await newestVersion(parts, context), now };
  return parts.visitors.ofCookie(cookie, parts.settings.sessions, moment);
}

/** Of the catalog; the answer that is made for this request may be one that was kept at that version. */
async function newestVersion({ catalog }: AccessParts, context: Context): Promise<string> {
  const version = await catalog.version();
  context.set('version', version);
  return version;
}

/** For streams: that somebody listens is no use of a session, and does not keep it from ending. */
async function still({ db, deps, settings }: AccessParts, identity: Identity): Promise<Identity | undefined> {
  const now = deps.clock.now();
  if (identity.kind === 'machine') return identity;
  if (identity instanceof TokenHolder) return stillHolder(db, identity.id, now);
  const session = await findSession(db, identity.session.hash);
  if (session === undefined || hasEnded(session, settings.sessions, now)) return undefined;
  return holderOfSession(db, session);
}

async function noteAnswer(parts: AccessParts, answered: Answered, context: Context): Promise<void> {
  const { endpoint, principal, path, app, status } = answered;
  if (writesItself(endpoint) || principal === undefined || !isRecorded(endpoint)) return;
  const { search } = new URL(context.req.url);
  await appendAudit(
    parts.db,
    {
      ...parts.actorOf(principal, context),
      ...{ action: endpoint.id, target: `${path}${search}`, outcome: status < 400 ? 'ok' : 'failed' },
      ...given('app', app === '*' ? undefined : app),
    },
    parts.deps.clock.now(),
  );
}

async function noteFailure(parts: AccessParts, { principal, ...failed }: Failed, context: Context): Promise<void> {
  const { address } = parts.originOf(context);
  const actor = principal === undefined ? 'anonymous' : identityOf(principal).actor;
  const entry = entryOf(failed, { actor, address });
  if (entry === undefined) return;
  const key = [entry.actor, placeOf(address), entry.action, entry.outcome].join(' ');
  await parts.refusals.note(key, entry, parts.deps.clock.now());
}
