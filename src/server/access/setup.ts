/** The first administrator: made by whoever reads the console of the service, with a code that is printed there once. */
import { Failure } from '../../base/failure.ts';
import { appendAudit, takeTurn } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { EVERY_APP, setGrant } from '../../catalog/grants.ts';
import { anyUser, createUser, type User } from '../../catalog/users.ts';
import { hashSecret, newCode, sameSecret, typedCode } from './secrets.ts';

const KEY = 'setup.code';
const VALID_MS = 24 * 3_600_000;

interface Kept {
  readonly hash: string;
  readonly expiresAt: number;
}

/** A new code, in place of any before it, for as long as there is no account; undefined once there is one. */
export async function newSetupCode(catalog: Catalog, now: number): Promise<string | undefined> {
  if (await anyUser(catalog.db)) return undefined;
  const code = newCode(5, 5);
  const value = JSON.stringify({ hash: hashSecret(typedCode(code)), expiresAt: now + VALID_MS } satisfies Kept);
  await catalog.db
    .insertInto('catalog_values')
    .values({ key: KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
  return code;
}

export interface FirstAdministrator {
  readonly code: string;
  readonly name: string;
  /** Hashed. */
  readonly password: string;
  readonly address: string;
}

/** Throws `setup_refused`. Of several that hold the code, one becomes administrator. */
export function setUp(catalog: Catalog, given: FirstAdministrator, now: number): Promise<User> {
  return catalog.transaction(async (db) => {
    await takeTurn(db);
    if (!(await isSetupCode(db, given.code, now))) throw setupRefused();
    await db.deleteFrom('catalog_values').where('key', '=', KEY).execute();
    const user = await createUser(db, { name: given.name, password: given.password }, now);
    await setGrant(db, user.id, EVERY_APP, 'administrator');
    const entry = {
      actor: `user:${user.name}`,
      action: 'setup',
      target: user.name,
      address: given.address,
      outcome: 'ok',
    } as const;
    await appendAudit(db, entry, now);
    return user;
  });
}

/** Whether the first administrator can be made with this code, before a password is hashed for it. */
export async function isSetupCode(db: CatalogDb, code: string, now: number): Promise<boolean> {
  return !(await anyUser(db)) && (await fits(db, code, now));
}

export function setupRefused(): Failure {
  return new Failure('setup_refused', 'The code is wrong, used or too old, or there is an account already.', {
    hint: 'Start the service again: while there is no account it prints a new code.',
  });
}

async function fits(db: CatalogDb, code: string, now: number): Promise<boolean> {
  const row = await db.selectFrom('catalog_values').select('value').where('key', '=', KEY).executeTakeFirst();
  if (row === undefined) return false;
  const { hash, expiresAt } = JSON.parse(row.value) as Kept;
  return sameSecret(hash, hashSecret(typedCode(code))) && now < expiresAt;
}
