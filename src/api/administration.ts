/** Accounts of others, what waits for a second person, the audit log. */
import * as z from 'zod';
import { Grant, grantApp, newPassword, Role, User, userName } from './access.ts';
import { endpoint } from './endpoint.ts';
import { cursor, givenTime, limit, object, page, recordId, text, time } from './shapes.ts';

const users = { tag: 'Users', access: 'administrator' } as const;
const one = { ...users, params: { user: userName } } as const;

export const listUsers = endpoint({
  ...users,
  ...{ method: 'GET', path: '/api/v1/users', id: 'listUsers', summary: 'Accounts' },
  answer: { status: 200, description: 'By name.', body: z.object({ items: z.array(User) }) },
});

export const createUser = endpoint({
  ...users,
  ...{ method: 'POST', path: '/api/v1/users', id: 'createUser', summary: 'Add an account' },
  body: z.strictObject({
    name: userName,
    email: z.email().max(254).optional(),
    password: newPassword,
    grants: z.array(Grant).max(500).default([]),
  }),
  answer: { status: 201, description: 'The account.', body: User },
});

export const getUser = endpoint({
  ...one,
  ...{ method: 'GET', path: '/api/v1/users/{user}', id: 'getUser', summary: 'One account' },
  answer: { status: 200, description: 'The account.', body: User },
});

export const changeUser = endpoint({
  ...one,
  ...{ method: 'PATCH', path: '/api/v1/users/{user}', id: 'changeUser', summary: 'Disable or enable an account' },
  body: z.strictObject({ disabled: z.boolean().describe('Its sessions end and its tokens open nothing.') }),
  answer: { status: 200, description: 'The account.', body: User },
});

export const removeUser = endpoint({
  ...one,
  ...{ method: 'DELETE', path: '/api/v1/users/{user}', id: 'removeUser', summary: 'Remove an account' },
  description: 'With its grants, sessions and tokens. The audit log keeps its name.',
  answer: { status: 204, description: 'It is gone.' },
});

export const setUserPassword = endpoint({
  ...one,
  ...{ method: 'PUT', path: '/api/v1/users/{user}/password', id: 'setUserPassword', summary: 'Set a password' },
  description: 'Ends all sessions of the account.',
  body: z.strictObject({ password: newPassword }),
  answer: { status: 204, description: 'It is set.' },
});

export const resetUserTotp = endpoint({
  ...one,
  ...{
    method: 'DELETE',
    path: '/api/v1/users/{user}/totp',
    id: 'resetUserTotp',
    summary: 'Remove a lost authenticator',
  },
  answer: { status: 204, description: 'Log-in wants no code.' },
});

export const setGrant = endpoint({
  ...one,
  ...{ method: 'PUT', path: '/api/v1/users/{user}/grants/{app}', id: 'setGrant', summary: 'Give a role' },
  params: { user: userName, app: grantApp },
  body: z.strictObject({ role: Role }),
  answer: { status: 200, description: 'The account.', body: User },
});

export const removeGrant = endpoint({
  ...one,
  ...{ method: 'DELETE', path: '/api/v1/users/{user}/grants/{app}', id: 'removeGrant', summary: 'Take a role' },
  params: { user: userName, app: grantApp },
  answer: { status: 204, description: 'It has none there.' },
});

export const APPROVAL_STATES = ['pending', 'approved', 'refused', 'expired', 'cancelled'] as const;

const Approval = z
  .object({
    id: recordId,
    action: z.string().describe('The kind of the run that waits.'),
    app: z.string().nullable(),
    params: object,
    reason: z.string().nullable(),
    state: z.enum(APPROVAL_STATES),
    ...{ requested_by: z.string(), requested_at: time, expires_at: time },
    ...{ decided_by: z.string().nullable(), decided_at: time.nullable() },
    run: recordId.nullable().describe('What came of it.'),
  })
  .meta({ id: 'Approval' });
export type Approval = z.output<typeof Approval>;

const approvals = { tag: 'Approvals', app: 'resource' } as const;
const decision = { ...approvals, method: 'POST', access: 'operator', params: { approval: recordId } } as const;
const decided = { status: 200, description: 'As it is now.', body: Approval } as const;

export const listApprovals = endpoint({
  ...approvals,
  ...{ method: 'GET', path: '/api/v1/approvals', id: 'listApprovals', access: 'viewer' },
  summary: 'What waits or waited for a second person',
  query: { state: Approval.shape.state.optional(), cursor, limit },
  answer: { status: 200, description: 'Newest first.', body: page(Approval) },
});

export const getApproval = endpoint({
  ...{ ...approvals, params: decision.params, answer: decided },
  ...{ method: 'GET', path: '/api/v1/approvals/{approval}', id: 'getApproval', access: 'viewer' },
  summary: 'One request for approval',
});

export const approve = endpoint({
  ...{ ...decision, path: '/api/v1/approvals/{approval}/approve', id: 'approve', answer: decided },
  summary: 'Approve: the run begins',
  description: 'By another person than the one who asked; a token counts as its owner.',
});

export const refuse = endpoint({
  ...{ ...decision, path: '/api/v1/approvals/{approval}/refuse', id: 'refuse', answer: decided },
  summary: 'Refuse',
});

export const withdraw = endpoint({
  ...{ ...decision, path: '/api/v1/approvals/{approval}/cancel', id: 'cancelApproval', answer: decided },
  summary: 'Take back what one asked for',
});

const AuditEntry = z
  .object({
    ...{ seq: z.int(), at: time, actor: z.string(), action: z.string() },
    ...{ target: z.string().nullable(), app: z.string().nullable(), address: z.string().nullable() },
    outcome: z.string().describe('ok, refused or failed.'),
    details: object,
    previous: z.string().describe('Hash of the entry before.'),
    hash: z.string().describe('SHA-256 of the canonical JSON of all other columns.'),
  })
  .meta({ id: 'AuditEntry' });

const audit = { tag: 'Audit', access: 'administrator', method: 'GET' } as const;
const filter = {
  actor: text('Exactly this actor.', 200).optional(),
  action: text('Exactly this action.', 100).optional(),
  app: text('Only entries about this app.', 100).optional(),
  outcome: z.enum(['ok', 'refused', 'failed']).optional(),
  ...{ since: givenTime.optional(), until: givenTime.optional() },
};

export const listAudit = endpoint({
  ...{ ...audit, path: '/api/v1/audit', id: 'listAudit', summary: 'Who did what' },
  query: { ...filter, cursor, limit },
  answer: { status: 200, description: 'Newest first.', body: page(AuditEntry) },
});

export const exportAudit = endpoint({
  ...{
    ...audit,
    path: '/api/v1/audit/export',
    id: 'exportAudit',
    summary: 'The audit log as a file',
    unhurried: true,
    audited: true,
  },
  query: { ...filter, format: z.enum(['jsonl', 'csv']).default('jsonl') },
  answer: { status: 200, description: 'Oldest first.', types: ['application/jsonl', 'text/csv'] },
});

export const verifyAudit = endpoint({
  ...{ ...audit, path: '/api/v1/audit/verification', id: 'verifyAudit', unhurried: true },
  summary: 'Whether the audit log fits together',
  query: {
    seq: z.int().min(1).optional().describe('Number of an entry that was noted elsewhere, and'),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'must be 64 hexadecimal digits')
      .optional()
      .describe('its hash: the log must still hold it.'),
  },
  answer: {
    status: 200,
    description: 'What was found.',
    body: z.object({
      whole: z.boolean(),
      problem: z.string().nullable().describe('The first place that does not fit.'),
      entries: z.int().nullable(),
      hash: z.string().nullable().describe('Of the newest entry; note it elsewhere.'),
      compared: z.boolean().describe('Whether it was held against the heads that the storages keep.'),
      not_compared: z
        .string()
        .nullable()
        .describe('Why no storage could be asked: a log that was forged whole would look the same.'),
      heads: z.int().nullable().describe('Heads it was held against; 0: none is kept yet.'),
      newest_head: z.object({ seq: z.int(), time }).nullable(),
      ...{ storages: z.array(z.string()), unread: z.array(z.string()).describe('Storages that could not be read.') },
    }),
  },
});
