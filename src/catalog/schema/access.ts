/** Tables of access: accounts, what they may do, how they come in, what they did. */
import type { Flag, Json, Time } from './columns.ts';

export interface UsersTable {
  id: string;
  name: string;
  email: string | null;
  password: string | null;
  /** Sealed under the server's key, which is not in the catalog. */
  totp_secret: string | null;
  /** Enrolled, and not yet confirmed by a code; sealed, too. */
  totp_pending: string | null;
  /** The last time step used, so that no code works twice. */
  totp_step: number | null;
  /** JSON array of SHA-256 of codes that stand in for a lost device, once each. */
  recovery_codes: Json;
  /** Issuer and subject; accounts of the provider have no password here. */
  oidc_subject: string | null;
  disabled: Flag;
  created_at: Time;
  updated_at: Time;
}

export type Role = 'viewer' | 'operator' | 'administrator';

export interface GrantsTable {
  user_id: string;
  /** Name of an app, or * for all. */
  app: string;
  role: Role;
}

export interface SessionsTable {
  /** SHA-256 of the cookie. */
  hash: string;
  /** By which a person names it, to end it. */
  id: string;
  user_id: string;
  csrf: string;
  created_at: Time;
  seen_at: Time;
  expires_at: Time;
  address: string | null;
  agent: string | null;
}

/** Failed log-ins, counted where every server sees them. */
export interface LoginLimitsTable {
  /** What is counted: an address, an account at an address, an account. */
  bucket: string;
  failures: number;
  last_at: Time;
  /** No attempt is looked at before. */
  until: Time;
  /** The last log-in that went well. */
  succeeded_at: Time | null;
}

/** Log-ins that are on their way through an OpenID provider. */
export interface OidcLoginsTable {
  /** SHA-256 of the state. */
  state: string;
  /** SHA-256 of the cookie of the browser that began. */
  browser: string;
  nonce: string;
  verifier: string;
  expires_at: Time;
}

export interface TokensTable {
  id: string;
  name: string;
  /** SHA-256 of the token. */
  hash: string;
  user_id: string | null;
  role: Role;
  /** JSON array of names of apps, or ["*"]. */
  apps: Json;
  scopes: Json;
  created_by: string;
  created_at: Time;
  expires_at: Time | null;
  used_at: Time | null;
  revoked_at: Time | null;
}

export interface AuditTable {
  seq: number;
  at: Time;
  actor: string;
  action: string;
  target: string | null;
  app: string | null;
  address: string | null;
  outcome: string;
  details: Json;
  previous: string;
  hash: string;
}

/** What waits for a second person. */
export interface ApprovalsTable {
  id: string;
  action: string;
  app: string | null;
  params: Json;
  reason: string | null;
  state: 'pending' | 'approved' | 'refused' | 'expired' | 'cancelled';
  requested_by: string;
  requested_at: Time;
  expires_at: Time;
  decided_by: string | null;
  decided_at: Time | null;
  run_id: string | null;
}
