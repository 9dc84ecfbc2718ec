/** What administrators do to accounts, from the API and from the command line alike. Each change and its entry in the audit log are one transaction. */
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { appendAudit, takeTurn } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { type Grant, keepingAdministrator, listGrants, removeGrant, setGrant } from '../../catalog/grants.ts';
import type { Role } from '../../catalog/schema.ts';
import { endSessionsOf } from '../../catalog/sessions.ts';
import { createUser, listUsers, removeUser, type User, updateUser, userNamed } from '../../catalog/users.ts';
import { checkNewPassword, type Passwords } from './passwords.ts';

/** Who does it, for the audit log. */
export interface Actor {
  readonly actor: string;
  readonly address?: string | undefined;
}

export interface AccessWorld {
  readonly catalog: Catalog;
  readonly passwords: Passwords;
}

export interface Account {
  readonly user: User;
  readonly grants: readonly Grant[];
}

const NAME = /^[a-z0-9][a-z0-9._@-]{0,62}$/;

/** As it is kept: names are the same in capitals. Throws `usage`. */
export function accountName(written: string): string {
  const name = written.normalize('NFKC').trim().toLowerCase();
  if (NAME.test(name)) return name;
  throw new Failure(
    'usage',
    'The name of an account is up to 63 letters, digits, ".", "_", "-" and "@", beginning with a letter or digit.',
  );
}

export async function listAccounts(db: CatalogDb): Promise<Account[]> {
  const [users, grants] = [await listUsers(db), await listGrants(db)];
  return users.map((user) => ({ user, grants: grants.filter(({ user_id: id }) => id === user.id) }));
}

export interface NewAccount {
  readonly name: string;
  readonly email?: string | undefined;
  readonly password: string;
  readonly grants: readonly { readonly app: string; readonly role: Role }[];
}

/** Throws `usage`, `password_refused`, `user_exists`. */
export async function addAccount(
  { catalog, passwords }: AccessWorld,
  account: NewAccount,
  by: Actor,
  now: number,
): Promise<User> {
  const name = accountName(account.name);
  checkNewPassword(account.password, name);
  const password = await passwords.hash(account.password);
  return catalog.transaction(async (db) => {
    const user = await createUser(db, { name, email: account.email, password }, now);
    for (const { app, role } of account.grants) await setGrant(db, user.id, app, role);
    await note(db, by, 'user.add', name, now, { grants: account.grants.map(({ app, role }) => `${role} ${app}`) });
    return user;
  });
}

/** With its grants, sessions and tokens. Throws `user_unknown`, `last_administrator`. */
export function removeAccount({ catalog }: AccessWorld, name: string, by: Actor, now: number): Promise<void> {
  return changing(catalog, name, async (db, user) => {
    await removeUser(db, user.id);
    await note(db, by, 'user.remove', user.name, now);
  });
}

/** A disabled account keeps what it has and opens nothing. Throws `user_unknown`, `last_administrator`. */
export function disableAccount(
  { catalog }: AccessWorld,
  name: string,
  disabled: boolean,
  by: Actor,
  now: number,
): Promise<void> {
  return changing(catalog, name, async (db, user) => {
    await updateUser(db, user.id, { disabled: disabled ? 1 : 0 }, now);
    if (disabled) await endSessionsOf(db, user.id);
    await note(db, by, disabled ? 'user.disable' : 'user.enable', user.name, now);
  });
}

/** A new password ends all sessions of the account, but the one it was set in. Throws `user_unknown`, `password_refused`. */
export async function setAccountPassword(
  { catalog, passwords }: AccessWorld,
  {
    name,
    password,
    exceptSession,
  }: { readonly name: string; readonly password: string; readonly exceptSession?: string },
  by: Actor,
  now: number,
): Promise<void> {
  const found = await userNamed(catalog.db, accountName(name));
  if (found.oidc_subject !== null)
    throw new Failure(
      'password_refused',
      `"${found.name}" logs in through the OpenID provider and has no password here.`,
    );
  checkNewPassword(password, found.name);
  const hashed = await passwords.hash(password);
  await changing(catalog, name, async (db, user) => {
    await updateUser(db, user.id, { password: hashed }, now);
    const ended = await endSessionsOf(db, user.id, exceptSession);
    await note(db, by, 'user.password', user.name, now, { endedSessions: ended });
  });
}

/** For whoever lost device and recovery codes. Throws `user_unknown`. */
export function resetSecondFactor({ catalog }: AccessWorld, name: string, by: Actor, now: number): Promise<void> {
  return changing(catalog, name, async (db, user) => {
    await updateUser(
      db,
      user.id,
      { totp_secret: null, totp_pending: null, totp_step: null, recovery_codes: '[]' },
      now,
    );
    await note(db, by, 'totp.reset', user.name, now);
  });
}

/** Throws `user_unknown`, and `last_administrator` where a lesser role takes the place of the last administrator's. */
export function grantRole(
  { catalog }: AccessWorld,
  { name, app, role }: { readonly name: string; readonly app: string; readonly role: Role },
  by: Actor,
  now: number,
): Promise<void> {
  return changing(catalog, name, async (db, user) => {
    refuseProviders(user);
    await setGrant(db, user.id, app, role);
    await note(db, by, 'user.grant', user.name, now, { role }, app);
  });
}

/** Whether there was something to revoke. Throws `user_unknown`, `last_administrator`. */
export function revokeRole(
  { catalog }: AccessWorld,
  { name, app }: { readonly name: string; readonly app: string },
  by: Actor,
  now: number,
): Promise<boolean> {
  return changing(catalog, name, async (db, user) => {
    refuseProviders(user);
    if (!(await removeGrant(db, user.id, app))) return false;
    await note(db, by, 'user.revoke', user.name, now, {}, app);
    return true;
  });
}

function refuseProviders({ name, oidc_subject: subject }: User): void {
  if (subject === null) return;
  throw new Failure('usage', `What "${name}" may do comes from the OpenID provider, with every log-in.`, {
    hint: 'Change their groups there, or server.oidc.roles in the configuration.',
  });
}

/** One at a time, so that two administrators do not take each other's last right at once. */
function changing<T>(catalog: Catalog, name: string, work: (db: CatalogDb, user: User) => Promise<T>): Promise<T> {
  return catalog.transaction(async (db) => {
    await takeTurn(db);
    const user = await userNamed(db, accountName(name));
    return keepingAdministrator(db, () => work(db, user));
  });
}

async function note(
  db: CatalogDb,
  { actor, address }: Actor,
  action: string,
  target: string,
  now: number,
  details: Readonly<Record<string, unknown>> = {},
  app?: string,
): Promise<void> {
  await appendAudit(
    db,
    { actor, action, target, outcome: 'ok', details, ...given('address', address), ...given('app', app) },
    now,
  );
}
