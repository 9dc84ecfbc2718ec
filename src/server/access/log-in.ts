/** Log-in with name and password, and with a code where the account has an authenticator. */
import { Failure } from '../../base/failure.ts';
import { appendAudit } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { findUser, findUserByName, type User, updateUser } from '../../catalog/users.ts';
import type { LoginLimits } from './login-limits.ts';
import type { Passwords } from './passwords.ts';
import { useCode } from './totp.ts';

export interface LoginWorld {
  readonly catalog: Catalog;
  readonly passwords: Passwords;
  readonly limits: LoginLimits;
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
  { catalog, passwords, limits }: LoginWorld,
  { name: written, password, code }: Credentials,
  { address, now }: { readonly address: string; readonly now: number },
  finish: (db: CatalogDb, user: User) => Promise<T>,
): Promise<T> {
  const name = written.normalize('NFKC').trim().toLowerCase();
  const attempt = await limits.begin(name, address, now);
  const user = await findUserByName(catalog.db, name);
  const right = await passwords.verify(password, user?.password ?? null);
  const refuse = async (why: string) => {
    await appendAudit(
      catalog.db,
      { ...whose(user), action: 'login', address, outcome: 'refused', details: { why } },
      now,
    );
    return new Failure('login_refused', 'Name, password or code is wrong.');
  };
  if (user === undefined || !right || user.disabled === 1)
    throw await refuse(user === undefined ? 'no such account' : right ? 'account is disabled' : 'wrong password');
  if (user.totp_secret !== null && code === undefined) {
    await attempt.takeBack(now);
    throw new Failure('second_factor_needed', 'This account wants a code, too.', { hint: 'Send it as "code".' });
  }
  const rehashed = passwords.isOutdated(user.password!) ? await passwords.hash(password) : undefined;
  const done = await catalog.transaction(async (db) => {
    const current = await findUser(db, user.id);
    if (current?.password !== user.password || current.disabled === 1) return undefined; // changed while we looked
    const factor = current.totp_secret === null ? 'none' : await useCode(db, current, code ?? '', now);
    if (factor === undefined) return undefined;
    if (rehashed !== undefined) await updateUser(db, user.id, { password: rehashed }, now);
    const result = await finish(db, user);
    await appendAudit(db, { ...whose(user), action: 'login', address, outcome: 'ok', details: { factor } }, now);
    return { result };
  });
  if (done === undefined) throw await refuse('wrong code');
  await attempt.succeed(now);
  return done.result;
}

/** A name that is none is not noted: people type passwords there. */
function whose(user: User | undefined): { readonly actor: string; readonly target?: string } {
  return user === undefined ? { actor: 'anonymous' } : { actor: `user:${user.name}`, target: user.name };
}
