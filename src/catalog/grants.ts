/** What accounts may do: a role for one app, or for all of them (`*`). */
import type { Selectable } from 'kysely';
import { Failure } from '../base/failure.ts';
import type { CatalogDb } from './catalog.ts';
import { prepared } from './prepared.ts';
import type { GrantsTable, Role } from './schema.ts';

export type Grant = Selectable<GrantsTable>;

export const EVERY_APP = '*';

export async function grantsOf(db: CatalogDb, userId: string): Promise<Grant[]> {
  return (await grantsOfUser(db, { userId })).rows;
}

/** Asked with every request. */
const grantsOfUser = prepared<{ readonly userId: string }, Grant>((db, value) =>
  db.selectFrom('grants').selectAll().where('user_id', '=', value('userId')).orderBy('app'),
);

export function listGrants(db: CatalogDb): Promise<Grant[]> {
  return db.selectFrom('grants').selectAll().orderBy('user_id').orderBy('app').execute();
}

/** In place of the role the account had for `app`. */
export async function setGrant(db: CatalogDb, userId: string, app: string, role: Role): Promise<void> {
  await db
    .insertInto('grants')
    .values({ user_id: userId, app, role })
    .onConflict((conflict) => conflict.columns(['user_id', 'app']).doUpdateSet({ role }))
    .execute();
}

/** Whether there was one. */
export async function removeGrant(db: CatalogDb, userId: string, app: string): Promise<boolean> {
  const { numDeletedRows } = await db
    .deleteFrom('grants')
    .where('user_id', '=', userId)
    .where('app', '=', app)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** Exactly these, whatever there was. */
export async function replaceGrants(
  db: CatalogDb,
  userId: string,
  grants: readonly Pick<Grant, 'app' | 'role'>[],
): Promise<void> {
  await db.deleteFrom('grants').where('user_id', '=', userId).execute();
  for (const { app, role } of grants) await setGrant(db, userId, app, role);
}

/** Somebody must be able to mend what went wrong: a change that leaves nobody who administrates everything is taken back. Throws `last_administrator`. */
export async function keepingAdministrator<T>(db: CatalogDb, change: () => Promise<T>): Promise<T> {
  const before = await anyAdministrator(db);
  const result = await change();
  if (!before || (await anyAdministrator(db))) return result;
  throw new Failure('last_administrator', 'Nobody would be left who may administrate everything.', {
    hint: 'Make somebody else administrator of all apps first.',
  });
}

async function anyAdministrator(db: CatalogDb): Promise<boolean> {
  const one = await db
    .selectFrom('grants')
    .innerJoin('users', 'users.id', 'grants.user_id')
    .select('users.id')
    .where('grants.app', '=', EVERY_APP)
    .where('grants.role', '=', 'administrator')
    .where('users.disabled', '=', 0)
    .limit(1)
    .executeTakeFirst();
  return one !== undefined;
}
