/** Log-ins that are on their way through an OpenID provider: begun at one server, ended at any, once. */
import type { Selectable } from 'kysely';
import { Failure } from '../base/failure.ts';
import type { CatalogDb } from './catalog.ts';
import type { OidcLoginsTable } from './schema.ts';

export type OidcLogin = Selectable<OidcLoginsTable>;

/** Anybody may begin one: so many at once, and no more. */
const MOST = 5_000;

/** Begins one; those whose time is over go. Throws `too_many_attempts`. */
export async function createOidcLogin(db: CatalogDb, login: OidcLogin, now: number): Promise<void> {
  await db.deleteFrom('oidc_logins').where('expires_at', '<=', now).execute();
  const { count } = await db
    .selectFrom('oidc_logins')
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST)
    throw new Failure('too_many_attempts', 'Too many log-ins were begun and not ended. Try again in a few minutes.');
  await db.insertInto('oidc_logins').values(login).execute();
}

/** The log-in that was begun with this state in this browser; a state works once, whoever brings it. */
export async function takeOidcLogin(
  db: CatalogDb,
  { state, browser }: Pick<OidcLogin, 'state' | 'browser'>,
  now: number,
): Promise<OidcLogin | undefined> {
  const taken = await db.deleteFrom('oidc_logins').where('state', '=', state).returningAll().executeTakeFirst();
  return taken !== undefined && taken.browser === browser && taken.expires_at > now ? taken : undefined;
}
