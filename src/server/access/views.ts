/** What the API tells of accounts, sessions, tokens, approvals and the audit log. */
import type { Approval } from '../../catalog/approvals.ts';
import type { AuditRecord } from '../../catalog/audit.ts';
import type { Grant } from '../../catalog/grants.ts';
import type { SessionRecord } from '../../catalog/sessions.ts';
import type { TokenRecord } from '../../catalog/tokens.ts';
import type { User } from '../../catalog/users.ts';
import { moment, text } from '../views/text.ts';
import { time, timeOrNull } from '../views/times.ts';

/** Names of accounts by their ids. */
export type Names = ReadonlyMap<string, string>;

export function showUser(user: User, grants: readonly Grant[]) {
  return {
    id: user.id,
    name: user.name,
    email: user.email,
    grants: grants.map(({ app, role }) => ({ app, role })),
    totp: user.totp_secret !== null,
    oidc: user.oidc_subject !== null,
    disabled: user.disabled === 1,
    created_at: time(user.created_at),
  };
}

export function showSession(session: SessionRecord, current: SessionRecord) {
  return {
    id: session.id,
    created_at: time(session.created_at),
    seen_at: time(session.seen_at),
    expires_at: time(session.expires_at),
    address: session.address,
    agent: session.agent,
    current: session.hash === current.hash,
  };
}

export function showToken(token: TokenRecord, names: Names) {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    apps: JSON.parse(token.apps) as string[],
    scopes: JSON.parse(token.scopes) as string[],
    owner: token.user_id === null ? null : (names.get(token.user_id) ?? null),
    created_by: token.created_by,
    created_at: time(token.created_at),
    expires_at: timeOrNull(token.expires_at),
    used_at: timeOrNull(token.used_at),
    revoked_at: timeOrNull(token.revoked_at),
  };
}

export function showApproval(approval: Approval, names: Names) {
  const nameOf = (account: string) => names.get(account) ?? account;
  return {
    id: approval.id,
    action: approval.action,
    app: approval.app,
    params: JSON.parse(approval.params) as Record<string, unknown>,
    reason: approval.reason,
    state: approval.state,
    requested_by: nameOf(approval.requested_by),
    requested_at: time(approval.requested_at),
    expires_at: time(approval.expires_at),
    decided_by: approval.decided_by === null ? null : nameOf(approval.decided_by),
    decided_at: timeOrNull(approval.decided_at),
    run: approval.run_id,
  };
}

/** The same as JSON, without making anything of the row first: for lists. */
export function approvalText(approval: Approval, names: Names): string {
  const nameOf = (account: string) => names.get(account) ?? account;
  const { decided_by: decider } = approval;
  return (
    `{"id":"${approval.id}","action":${text(approval.action)},"app":${text(approval.app)},"params":${approval.params},` +
    `"reason":${text(approval.reason)},"state":"${approval.state}","requested_by":${text(nameOf(approval.requested_by))},` +
    `"requested_at":${moment(approval.requested_at)},"expires_at":${moment(approval.expires_at)},` +
    `"decided_by":${text(decider && nameOf(decider))},"decided_at":${moment(approval.decided_at)},` +
    `"run":${text(approval.run_id)}}`
  );
}

/** As JSON; `details` is. */
export function auditEntryText(record: AuditRecord): string {
  return (
    `{"seq":${record.seq},"at":${moment(record.at)},"actor":${text(record.actor)},"action":${text(record.action)},` +
    `"target":${text(record.target)},"app":${text(record.app)},"address":${text(record.address)},` +
    `"outcome":${text(record.outcome)},"details":${record.details},` +
    `"previous":${text(record.previous)},"hash":${text(record.hash)}}`
  );
}
