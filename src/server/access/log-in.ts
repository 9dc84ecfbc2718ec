/** Log-in with name and password, and with a code where the account has an authenticator. */
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { appendAudit } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { findUser, findUserByName, type User, updateUser } from '../../catalog/users.ts';
import type { LoginLimits } from './login-limits.ts';
import type { Passwords } from './passwords.ts';
import type { ServerKey } from './server-key.ts';
import { useCode } from './totp.ts';

export interface LoginWorld {
  readonly catalog: Catalog;
  readonly passwords: Passwords;
  readonly limits: LoginLimits;
  readonly key: ServerKey;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** Of the authenticator, or a recovery code. */
  readonly code?: string | undefined;
}

/**
 * Whose the credentials are; `finish` runs in the transaction that notes the log-in. Throws `login_refused` (after the same work for names that
 * do not exist), `second_factor_needed`, `too_many_attempts`.
 */
export async function logIn<T>(
  { catalog, passwords, limits, key }: LoginWorld,
  { name: written, password, code }: Credentials,
  { address, now }: { readonly address: string; readonly now: number },
  finish: (db: CatalogDb, user: User) => Promise<T>,
): Promise<T> {
  const name = written.normalize('NFKC').trim().toLowerCase();
  const attempt = await limits.begin(name, address, now);
  const user = await findUserByName(catalog.db, name);
  const right = await passwords.verify(password, user?.password ?? null);
  const refuse = (why: string) =>
    new Failure('login_refused', 'Name, password or code is wrong.', {
      details: { why, ...given('account', user?.name) }, // for the audit log alone; a name that is none is not kept: people type passwords there
    });
  if (user === undefined || !right || user.disabled === 1)
    throw refuse(user === undefined ? 'no such account' : right ? 'account is disabled' : 'wrong password');
  if (user.totp_secret !== null && code === undefined) {
    await attempt.takeBack(now);
    throw new Failure('second_factor_needed', 'This account wants a code, too.', {
      hint: 'Send it as "code".',
      details: { account: user.name },
    });
  }
  const rehashed = passwords.isOutdated(user.password!) ? await passwords.hash(password) : undefined;
  const done = await catalog.transaction(async (db) => {
    const current = await findUser(db, user.id);
    if (current?.password !== user.password || current.disabled === 1) return undefined; // changed while we looked
    const factor = current.totp_secret === null ? 'none' : await useCode(db, current, { code: code ?? '', key, now });
    if (factor === undefined) return undefined;
    if (rehashed !== undefined) await updateUser(db, user.id, { password: rehashed }, now);
    const result = await finish(db, user);
    const who = { actor: `user:${user.name}`, target: user.name };
    await appendAudit(db, { ...who, action: 'login', address, outcome: 'ok', details: { factor } }, now);
    return { result };
  });
  if (done === undefined) throw refuse('wrong code');
  await attempt.succeed(now);
  return done.result;
}
