/** Accounts of people. Passwords come here hashed; what they may do stands in the grants. */
import type { Selectable, Updateable } from 'kysely';
import { Failure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import type { CatalogDb } from './catalog.ts';
import { prepared, preparedForms } from './prepared.ts';
import type { UsersTable } from './schema.ts';

export type User = Selectable<UsersTable>;

export interface NewUser {
  readonly name: string;
  readonly email?: string | undefined;
  /** With its parameters and salt, as the access part writes it. */
  readonly password?: string | undefined;
  readonly oidcSubject?: string | undefined;
}

/** Throws `user_exists`. */
export async function createUser(db: CatalogDb, user: NewUser, now: number): Promise<User> {
  const created = await db
    .insertInto('users')
    .values({
      id: newId(now),
      name: user.name,
      email: user.email ?? null,
      password: user.password ?? null,
      totp_secret: null,
      totp_pending: null,
      totp_step: null,
      recovery_codes: '[]',
      oidc_subject: user.oidcSubject ?? null,
      disabled: 0,
      created_at: now,
      updated_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (created !== undefined) return created;
  throw new Failure('user_exists', `There is an account "${user.name}" already.`);
}

export async function findUser(db: CatalogDb, id: string): Promise<User | undefined> {
  return (await userById(db, { id })).rows[0];
}

/** Asked with every request. */
const userById = prepared<{ readonly id: string }, User>((db, value) =>
  db.selectFrom('users').selectAll().where('id', '=', value('id')),
);

export function findUserByName(db: CatalogDb, name: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('name', '=', name).executeTakeFirst();
}

/** Throws `user_unknown`. */
export async function userNamed(db: CatalogDb, name: string): Promise<User> {
  const user = await findUserByName(db, name);
  if (user !== undefined) return user;
  throw new Failure('user_unknown', `There is no account "${name}".`);
}

export function findUserBySubject(db: CatalogDb, subject: string): Promise<User | undefined> {
  return db.selectFrom('users').selectAll().where('oidc_subject', '=', subject).executeTakeFirst();
}

export function listUsers(db: CatalogDb): Promise<User[]> {
  return db.selectFrom('users').selectAll().orderBy('name').execute();
}

/** Names by ids, of those that are accounts. */
export async function userNames(db: CatalogDb, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const asked = [...new Set(ids)];
  if (asked.length === 0) return new Map();
  return new Map((await namesOf(db, { ids: asked })).rows.map(({ id, name }) => [id, name]));
}

const namesOf = preparedForms((db: CatalogDb, { ids }: { readonly ids: readonly string[] }) =>
  db.selectFrom('users').select(['id', 'name']).where('id', 'in', ids),
);

export async function anyUser(db: CatalogDb): Promise<boolean> {
  return (await db.selectFrom('users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

export async function updateUser(
  db: CatalogDb,
  id: string,
  change: Omit<Updateable<UsersTable>, 'id' | 'created_at' | 'updated_at'>,
  now: number,
): Promise<void> {
  await db
    .updateTable('users')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

/** The account with its grants, sessions and tokens. */
export async function removeUser(db: CatalogDb, id: string): Promise<void> {
  await db.deleteFrom('grants').where('user_id', '=', id).execute();
  await db.deleteFrom('sessions').where('user_id', '=', id).execute();
  await db.deleteFrom('tokens').where('user_id', '=', id).execute();
  await db.deleteFrom('users').where('id', '=', id).execute();
}

/** Whether `step` is newer than every one used before; used from now on. Of two that ask at once, one hears yes. */
export async function claimTotpStep(db: CatalogDb, id: string, step: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ totp_step: step })
    .where('id', '=', id)
    .where(({ eb, or }) => or([eb('totp_step', 'is', null), eb('totp_step', '<', step)]))
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Takes the hashed code out of those that are left. Of two that ask at once, one hears yes. */
export async function claimRecoveryCode(db: CatalogDb, user: User, hash: string): Promise<boolean> {
  const codes = JSON.parse(user.recovery_codes) as string[];
  if (!codes.includes(hash)) return false;
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ recovery_codes: JSON.stringify(codes.filter((code) => code !== hash)) })
    .where('id', '=', user.id)
    .where('recovery_codes', '=', user.recovery_codes)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
