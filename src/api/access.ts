/** Logging in, one's own account, its sessions and tokens. */
import * as z from 'zod';
import { endpoint } from './endpoint.ts';
import { app, givenTime, recordId, text, time } from './shapes.ts';

export const Role = z
  .enum(['viewer', 'operator', 'administrator'])
  .describe('Each may do what the ones before it may.');
export const grantApp = z
  .union([z.literal('*'), app])
  .describe('Name of an app, or `*` for all, those of tomorrow too.');
export const Grant = z.object({ app: grantApp, role: Role }).meta({ id: 'Grant' });
export const userName = text('Name of an account; the same in capitals.', 63).min(1);
export const newPassword = text('At least 12 characters.', 1_024).min(1);
const password = text('The password.', 1_024).min(1);
const code = text('Six digits of the authenticator, or a recovery code.', 64).min(1);
const secretText = z.string().describe('Shown once.');

export const User = z
  .object({
    id: recordId,
    name: userName,
    email: z.string().nullable(),
    grants: z.array(Grant),
    totp: z.boolean().describe('Whether log-in wants a code.'),
    oidc: z.boolean().describe('Whether it logs in through the OpenID provider; its roles come from there.'),
    disabled: z.boolean(),
    created_at: time,
  })
  .meta({ id: 'User' });

const Session = z
  .object({
    user: User,
    csrf: z.string().describe('To be sent as `X-CSRF-Token` with whatever changes something.'),
    created_at: time,
    expires_at: time.describe('At the latest; it ends earlier when it is not used.'),
  })
  .meta({ id: 'Session' });

const login = { tag: 'Log-in', access: 'public' } as const;

export const getLoginWays = endpoint({
  ...login,
  ...{ method: 'GET', path: '/api/v1/login', id: 'getLoginWays', summary: 'How one can log in' },
  answer: {
    status: 200,
    description: 'What there is.',
    body: z.object({
      setup_needed: z.boolean().describe('There is no account yet: POST /api/v1/setup.'),
      oidc: z.object({ title: z.string() }).nullable().describe('An OpenID provider: POST /api/v1/session/oidc.'),
    }),
  },
});

export const setUp = endpoint({
  ...login,
  ...{ method: 'POST', path: '/api/v1/setup', id: 'setUp', summary: 'Make the first administrator' },
  description: 'With the code that the service prints while it has no account. It works once, for 24 hours.',
  body: z.strictObject({ code: text('The code of the console.', 64).min(1), name: userName, password: newPassword }),
  answer: { status: 201, description: 'The account; now log in.', body: User },
});

export const logIn = endpoint({
  ...login,
  ...{ method: 'POST', path: '/api/v1/session', id: 'logIn', summary: 'Log in' },
  description: 'Sets the cookie of a session, and ends the one the browser had. Programs use tokens instead.',
  body: z.strictObject({ name: userName, password, code: code.optional() }),
  secret: true,
  answer: { status: 201, description: 'The session.', body: Session },
});

export const beginOidc = endpoint({
  ...login,
  ...{
    method: 'POST',
    path: '/api/v1/session/oidc',
    id: 'beginOidc',
    summary: 'Log in through the OpenID provider',
    audited: false,
  },
  secret: true,
  answer: {
    status: 200,
    description: 'Where the browser has to go; it comes back with a session.',
    body: z.object({ url: z.string() }),
  },
});

export const endOidc = endpoint({
  ...login,
  ...{
    method: 'GET',
    path: '/api/v1/session/oidc/callback',
    id: 'endOidc',
    summary: 'Come back from the provider',
    audited: true,
  },
  query: {
    ...{ code: text('', 4_096).optional(), state: text('', 1_024).optional(), iss: text('', 1_024).optional() },
    ...{ session_state: text('', 1_024).optional(), error: text('', 256).optional() },
    ...{ error_description: text('', 2_048).optional(), error_uri: text('', 1_024).optional() },
    scope: text('', 1_024).optional(),
  },
  answer: { status: 200, description: 'A page that goes on to the start page.', types: ['text/html'] },
});

const own = { tag: 'Account', access: 'account' } as const;

export const getSession = endpoint({
  ...own,
  ...{ method: 'GET', path: '/api/v1/session', id: 'getSession', summary: 'Who is logged in' },
  answer: { status: 200, description: 'The session.', body: Session },
});

export const logOut = endpoint({
  ...own,
  ...{ method: 'DELETE', path: '/api/v1/session', id: 'logOut', summary: 'Log out' },
  answer: { status: 204, description: 'The session has ended.' },
});

export const listSessions = endpoint({
  ...own,
  ...{ method: 'GET', path: '/api/v1/account/sessions', id: 'listSessions', summary: 'Where one is logged in' },
  answer: {
    status: 200,
    description: 'Newest first.',
    body: z.object({
      items: z.array(
        z.object({
          ...{ id: recordId, created_at: time, seen_at: time, expires_at: time },
          ...{ address: z.string().nullable(), agent: z.string().nullable() },
          current: z.boolean().describe('The one that asks.'),
        }),
      ),
    }),
  },
});

export const endSession = endpoint({
  ...own,
  ...{ method: 'DELETE', path: '/api/v1/account/sessions/{session}', id: 'endSession', summary: 'End a session' },
  params: { session: recordId },
  answer: { status: 204, description: 'It has ended.' },
});

export const endOtherSessions = endpoint({
  ...own,
  ...{ method: 'DELETE', path: '/api/v1/account/sessions', id: 'endOtherSessions', summary: 'End all other sessions' },
  answer: { status: 200, description: 'How many have ended.', body: z.object({ ended: z.int() }) },
});

export const changePassword = endpoint({
  ...own,
  ...{ method: 'PUT', path: '/api/v1/account/password', id: 'changePassword', summary: 'Change the password' },
  description: 'Ends all other sessions.',
  body: z.strictObject({ current: password, new: newPassword }),
  answer: { status: 204, description: 'It is changed.' },
});

export const beginTotp = endpoint({
  ...own,
  ...{ method: 'POST', path: '/api/v1/account/totp', id: 'beginTotp', summary: 'Enrol an authenticator' },
  description: 'It counts once it is confirmed with a code.',
  body: z.strictObject({ password }),
  secret: true,
  answer: {
    status: 201,
    description: 'For the authenticator.',
    body: z.object({ secret: secretText, uri: secretText.describe('The same as otpauth:// address, for a QR code.') }),
  },
});

const RecoveryCodes = z.object({
  recovery_codes: z.array(z.string()).describe('Each stands in for the authenticator once. Shown once.'),
});

export const confirmTotp = endpoint({
  ...own,
  ...{ method: 'PUT', path: '/api/v1/account/totp', id: 'confirmTotp', summary: 'Confirm the authenticator' },
  description: 'From now on log-in wants a code. All other sessions end.',
  body: z.strictObject({ code }),
  secret: true,
  answer: { status: 200, description: 'Codes for the day it is lost.', body: RecoveryCodes },
});

export const newRecoveryCodes = endpoint({
  ...own,
  ...{ method: 'POST', path: '/api/v1/account/recovery-codes', id: 'newRecoveryCodes', summary: 'New recovery codes' },
  description: 'Those before them are void.',
  body: z.strictObject({ code }),
  secret: true,
  answer: { status: 200, description: 'The new codes.', body: RecoveryCodes },
});

export const removeTotp = endpoint({
  ...own,
  ...{ method: 'POST', path: '/api/v1/account/totp/remove', id: 'removeTotp', summary: 'Log in without codes again' },
  body: z.strictObject({ password, code }),
  answer: { status: 204, description: 'The authenticator counts no more.' },
});

const Token = z
  .object({
    ...{ id: recordId, name: z.string(), role: Role, apps: z.array(grantApp), scopes: z.array(z.string()) },
    owner: z.string().nullable().describe('Whose rights bound it; null: it belongs to nobody.'),
    ...{ created_by: z.string(), created_at: time, expires_at: time.nullable() },
    used_at: time.nullable().describe('To the minute.'),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'Token' });

export const listTokens = endpoint({
  ...own,
  ...{ method: 'GET', path: '/api/v1/tokens', id: 'listTokens', summary: 'Tokens', tag: 'Tokens' },
  query: { all: z.boolean().default(false).describe('Those of everybody; for administrators of all apps.') },
  answer: { status: 200, description: 'Newest first.', body: z.object({ items: z.array(Token) }) },
});

export const createToken = endpoint({
  ...own,
  ...{ method: 'POST', path: '/api/v1/tokens', id: 'createToken', summary: 'Make a token', tag: 'Tokens' },
  description: 'It may do what its role allows, and never more than its owner.',
  body: z.strictObject({
    name: text('What it is for.', 100).min(1),
    role: Role,
    apps: z.array(grantApp).min(1).max(100).default(['*']),
    scopes: z
      .array(z.string().regex(/^(\*|[a-z][a-z-]{0,40}):(read|write)$/, 'must be AREA:read or AREA:write'))
      .min(1)
      .max(50)
      .default(['*:write'])
      .describe('`AREA:read` or `AREA:write`: the word after /api/v1/, or `*`. Writing includes reading.'),
    expires_at: givenTime.optional().describe('Absent: never.'),
  }),
  secret: true,
  answer: { status: 201, description: 'The token, shown once.', body: z.object({ token: secretText, record: Token }) },
});

export const revokeToken = endpoint({
  ...own,
  ...{ method: 'DELETE', path: '/api/v1/tokens/{token}', id: 'revokeToken', summary: 'Revoke a token', tag: 'Tokens' },
  params: { token: recordId },
  answer: { status: 204, description: 'It opens nothing any more.' },
});
