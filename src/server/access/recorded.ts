/** What the audit log keeps of requests: which of those that were answered, and how those that were refused or failed are told. */
import type { Endpoint } from '../../api/endpoint.ts';
import type { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import type { AuditEntry } from '../../catalog/audit.ts';
import { SAFE_METHODS } from './scopes.ts';

/** Their routes write the audit log themselves, in the transaction of the change. */
const OWN_TAGS: readonly string[] = ['Log-in', 'Account', 'Users', 'Tokens', 'Approvals', 'Audit'];
/** Where refusals stand under the same name as what they would have been. */
const ACTIONS: Readonly<Record<string, string>> = { logIn: 'login', endOidc: 'login', setUp: 'setup' };
const REFUSED: readonly number[] = [401, 403, 429];
const LONGEST = 200;

/** Whether the audit log keeps that it was answered: all that changes something, and looks that the declaration names. */
export function isRecorded({ method, audited }: Pick<Endpoint, 'method' | 'audited'>): boolean {
  return audited ?? !SAFE_METHODS.includes(method);
}

export function writesItself({ tag }: Pick<Endpoint, 'tag'>): boolean {
  return OWN_TAGS.includes(tag);
}

/** A request that got no answer but a problem. */
export interface Refusal {
  readonly failure: Failure;
  readonly status: number;
  /** Undefined: there is none at that path. */
  readonly endpoint: Endpoint | undefined;
  readonly path: string;
  readonly app: string | undefined;
}

/**
 * The entry of a request that was refused, or that should have changed something and failed on our side; undefined: of none of these. No query
 * and no unknown path is kept: people paste tokens there.
 */
export function entryOf(
  { failure, status, endpoint, path, app }: Refusal,
  who: Pick<AuditEntry, 'actor' | 'address'>,
): AuditEntry | undefined {
  const { code, message, hint, details } = failure;
  const refused = REFUSED.includes(status) || details.hidden === true;
  const failed = status >= 500 && endpoint !== undefined && isRecorded(endpoint) && who.actor !== 'anonymous';
  if (!refused && !failed) return undefined;
  const account = typeof details.account === 'string' ? details.account : undefined;
  const why = typeof details.why === 'string' ? details.why : message;
  return {
    ...who,
    ...(account === undefined ? {} : { actor: `user:${account}`, target: account }),
    action: endpoint === undefined ? 'request' : (ACTIONS[endpoint.id] ?? endpoint.id),
    ...(endpoint === undefined || account !== undefined ? {} : { target: path.slice(0, LONGEST) }),
    ...given('app', app === '*' ? undefined : app),
    outcome: refused ? 'refused' : 'failed',
    details: {
      ...{ code, why: why.slice(0, LONGEST) },
      ...given('hint', code === 'unauthenticated' ? hint : undefined),
      ...given('token', typeof details.token === 'string' ? details.token : undefined),
    },
  };
}
