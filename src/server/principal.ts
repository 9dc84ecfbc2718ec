/** Who asks, and what they may: the seam between the routes and the part that knows accounts, sessions and tokens. */
import type { Context } from 'hono';
import type { Endpoint } from '../api/endpoint.ts';
import { Failure } from '../base/failure.ts';
import type { Role } from '../catalog/schema.ts';
import type { Api } from './api.ts';

export interface Principal {
  readonly kind: 'user' | 'token' | 'machine';
  readonly id: string;
  readonly name: string;
  /** For an app; `*`: for all apps, those of tomorrow too. Undefined: nothing. */
  role(app: string): Role | undefined;
}

/** A run that was asked for. */
export interface AskedRun {
  readonly app: string;
  readonly kind: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

/** What waits for a second person instead of the run. */
export interface Held {
  readonly approval: string;
}

/** A request that was answered: what the audit log wants to know. */
export interface Answered {
  readonly principal: Principal | undefined;
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly app: string | undefined;
  readonly status: number;
  readonly request: string;
}

/** A request that ended with a problem. */
export interface Failed {
  readonly principal: Principal | undefined;
  /** Undefined: there is none at that path. */
  readonly endpoint: Endpoint | undefined;
  readonly path: string;
  /** As far as it was known. */
  readonly app: string | undefined;
  readonly failure: Failure;
  readonly status: number;
}

/** Everything about access that the routes need. */
export interface AccessControl {
  /**
   * Called once for each request, before anything of it is read. Undefined: nobody. Throws `unauthenticated` for credentials that do not
   * hold, `origin_refused` for a session's request from elsewhere.
   */
  authenticate(context: Context): Promise<Principal | undefined>;
  /** Its own routes: log-in, accounts, tokens, approvals, audit. */
  register?(api: Api): void;
  /** Whoever was let in a while ago, with the rights of now; undefined: their session or token opens nothing any more. */
  still?(principal: Principal): Promise<Principal | undefined>;
  /** Whether runs of this kind wait for a second person. */
  takesTwo?(kind: string): boolean;
  /** Whether this run waits for a second person. */
  hold?(asked: AskedRun, principal: Principal): Promise<Held | undefined>;
  /** Hears of every answer; what it throws fails the request. */
  answered?(answered: Answered, context: Context): Promise<void>;
  /** Hears of every problem; what it throws is logged. */
  failed?(failed: Failed, context: Context): Promise<void>;
  /** Once nothing is asked any more. */
  close?(): Promise<void>;
}

const RANK: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, administrator: 3 };

export function mayAct(principal: Principal, app: string, least: Role): boolean {
  const role = principal.role(app);
  return role !== undefined && RANK[role] >= RANK[least];
}

/** Throws `forbidden`. */
export function requireRole(principal: Principal, app: string, least: Role): void {
  if (mayAct(principal, app, least)) return;
  const where = app === '*' ? 'all apps' : `the app "${app}"`;
  throw new Failure('forbidden', `This needs the role ${least} for ${where}.`, {
    ...(app === '*' && principal.role('*') === undefined ? { hint: 'Name one app of yours with "app".' } : {}),
  });
}
