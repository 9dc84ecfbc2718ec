/** The account of whom an OpenID provider vouches for: found by issuer and subject, made at the first log-in, its roles those of now. */
import { Failure } from '../../base/failure.ts';
import { appendAudit, takeTurn } from '../../catalog/audit.ts';
import type { CatalogDb } from '../../catalog/catalog.ts';
import { replaceGrants } from '../../catalog/grants.ts';
import { createUser, findUserByName, findUserBySubject, type User } from '../../catalog/users.ts';
import { accountName } from './accounts.ts';
import { fallbackName, type Vouched } from './oidc.ts';

/** In a transaction of the caller. Throws `oidc_failed` for an account that is disabled here. */
export async function accountOf(db: CatalogDb, vouched: Vouched, address: string, now: number): Promise<User> {
  await takeTurn(db);
  const user = (await findUserBySubject(db, vouched.subject)) ?? (await newAccount(db, vouched, now));
  if (user.disabled === 1) throw new Failure('oidc_failed', `The account "${user.name}" is disabled here.`);
  await replaceGrants(db, user.id, vouched.grants);
  const details = { factor: 'oidc', grants: vouched.grants.map(({ app, role }) => `${role} ${app}`) };
  const entry = {
    actor: `user:${user.name}`,
    action: 'login',
    target: user.name,
    address,
    outcome: 'ok',
    details,
  } as const;
  await appendAudit(db, entry, now);
  return user;
}

async function newAccount(db: CatalogDb, { subject, suggestedName, email }: Vouched, now: number): Promise<User> {
  return createUser(db, { name: await freeName(db, subject, suggestedName), email, oidcSubject: subject }, now);
}

/** The provider's name for them, unless it is none that an account may have, or somebody else's. */
async function freeName(db: CatalogDb, subject: string, suggested: string | undefined): Promise<string> {
  try {
    const name = accountName(suggested ?? '');
    return (await findUserByName(db, name)) === undefined ? name : fallbackName(subject);
  } catch {
    return fallbackName(subject);
  }
}
