/** Tokens for programs. Only the hash is kept; what one may do is bounded by its own role and by that of its owner, if it has one. */
import type { Selectable } from 'kysely';
import type { CatalogDb } from './catalog.ts';
import { prepared } from './prepared.ts';
import type { Role, TokensTable } from './schema.ts';

export type TokenRecord = Selectable<TokensTable>;

export interface NewToken {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the token, in hex. */
  readonly hash: string;
  /** The account it acts for. */
  readonly userId?: string | undefined;
  readonly role: Role;
  readonly apps: readonly string[];
  readonly scopes: readonly string[];
  readonly createdBy: string;
  readonly expiresAt?: number | undefined;
}

export async function createToken(db: CatalogDb, token: NewToken, now: number): Promise<TokenRecord> {
  return db
    .insertInto('tokens')
    .values({
      id: token.id,
      name: token.name,
      hash: token.hash,
      user_id: token.userId ?? null,
      role: token.role,
      apps: JSON.stringify(token.apps),
      scopes: JSON.stringify(token.scopes),
      created_by: token.createdBy,
      created_at: now,
      expires_at: token.expiresAt ?? null,
      used_at: null,
      revoked_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export async function findToken(db: CatalogDb, id: string): Promise<TokenRecord | undefined> {
  return (await tokenById(db, { id })).rows[0];
}

/** Asked with every request. */
const tokenById = prepared<{ readonly id: string }, TokenRecord>((db, value) =>
  db.selectFrom('tokens').selectAll().where('id', '=', value('id')),
);

/** Newest first; of one account, or all. */
export function listTokens(db: CatalogDb, userId?: string): Promise<TokenRecord[]> {
  const all = db.selectFrom('tokens').selectAll().orderBy('id', 'desc');
  return (userId === undefined ? all : all.where('user_id', '=', userId)).execute();
}

export async function touchToken(db: CatalogDb, id: string, now: number): Promise<void> {
  await db.updateTable('tokens').set({ used_at: now }).where('id', '=', id).execute();
}

/** From now on it opens nothing. Whether it was valid before. */
export async function revokeToken(db: CatalogDb, id: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('tokens')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}
