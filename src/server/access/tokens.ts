/** Tokens for programs: made, checked, revoked. */
import { Failure, isFailure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { newId } from '../../base/ids.ts';
import { appendAudit } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { EVERY_APP, grantsOf } from '../../catalog/grants.ts';
import type { Role } from '../../catalog/schema.ts';
import { createToken, findToken, revokeToken, type TokenRecord, touchToken } from '../../catalog/tokens.ts';
import { findUser, type User } from '../../catalog/users.ts';
import type { Actor } from './accounts.ts';
import { TokenHolder } from './identity.ts';
import { EVERYTHING, isScope } from './scopes.ts';
import { hashSecret, newToken, sameHash, tokenId } from './secrets.ts';

export interface AskedToken {
  readonly name: string;
  /** Whose rights bound it; absent: nobody's, as for a machine. */
  readonly owner?: User | undefined;
  readonly role: Role;
  /** Absent: all. */
  readonly apps?: readonly string[] | undefined;
  /** Absent: whatever the role allows. */
  readonly scopes?: readonly string[] | undefined;
  /** Milliseconds since the epoch; absent: never. */
  readonly expiresAt?: number | undefined;
}

/** How exactly it is known when a token or a session was used last. */
export const SEEN_EVERY_MS = 60_000;

/** The token is shown here and never again. Throws `usage`. */
export function issueToken(
  catalog: Catalog,
  asked: AskedToken,
  by: Actor,
  now: number,
): Promise<{ readonly token: string; readonly record: TokenRecord }> {
  const { name, owner, role, apps = [EVERY_APP], scopes = [EVERYTHING], expiresAt } = asked;
  const wrong = scopes.find((scope) => !isScope(scope));
  if (wrong !== undefined)
    throw new Failure('usage', `"${wrong}" is not a scope.`, {
      hint: 'Write AREA:read or AREA:write, such as runs:write or *:read.',
    });
  if (apps.length === 0 || scopes.length === 0)
    throw new Failure('usage', 'A token without apps or scopes opens nothing.');
  if (expiresAt !== undefined && expiresAt <= now) throw new Failure('usage', 'The token would have expired already.');
  const id = newId(now);
  const token = newToken(id);
  return catalog.transaction(async (db) => {
    const entry = {
      ...{ id, name, role, apps, scopes, expiresAt },
      hash: hashSecret(token),
      userId: owner?.id,
      createdBy: by.actor,
    };
    const record = await createToken(db, entry, now);
    const details = { id, role, apps, scopes, owner: owner?.name ?? null, expiresAt: expiresAt ?? null };
    await appendAudit(db, { ...by, action: 'token.create', target: name, outcome: 'ok', details }, now);
    return { token, record };
  });
}

/** Opens nothing from now on. Throws `token_unknown`. */
export function endToken(catalog: Catalog, id: string, by: Actor, now: number): Promise<TokenRecord> {
  return catalog.transaction(async (db) => {
    const record = await findToken(db, id);
    if (record === undefined || !(await revokeToken(db, id, now)))
      throw new Failure('token_unknown', 'There is no such token, or it was revoked before.');
    await appendAudit(db, { ...by, action: 'token.revoke', target: record.name, outcome: 'ok', details: { id } }, now);
    return record;
  });
}

/** A token that opens something, whatever the time is. */
export interface KnownToken {
  readonly holder: TokenHolder;
  /** Milliseconds since the epoch; null: never. */
  readonly expiresAt: number | null;
  /** As far as the catalog was told. */
  usedAt: number | null;
}

/** The id in a token. Throws `unauthenticated` for what is none, or was cut short or mistyped. */
export function requireForm(token: string): string {
  const id = tokenId(token);
  if (id !== undefined) return id;
  throw refused('It is not a token of this service, or it was cut short or mistyped.');
}

/** Whose the token is. Throws `unauthenticated`, the same for every reason but the ones that only its holder can know. */
export async function knownToken(db: CatalogDb, token: string): Promise<KnownToken> {
  const record = await findToken(db, requireForm(token));
  if (record === undefined || !sameHash(record.hash, hashSecret(token))) throw refused();
  return { holder: await holderOf(db, record), expiresAt: record.expires_at, usedAt: record.used_at };
}

/** Its holder, who is asking now. Throws `unauthenticated`. */
export async function useToken(db: CatalogDb, token: KnownToken, now: number): Promise<TokenHolder> {
  const { holder, expiresAt, usedAt } = token;
  requireTime(holder.id, expiresAt, now);
  if (usedAt === null || now - usedAt >= SEEN_EVERY_MS) {
    token.usedAt = now; // told once, however many ask at this moment
    await touchToken(db, holder.id, now);
  }
  return holder;
}

/** The holder of a token that was shown before; undefined: it opens nothing any more. */
export async function stillHolder(db: CatalogDb, id: string, now: number): Promise<TokenHolder | undefined> {
  const record = await findToken(db, id);
  if (record === undefined) return undefined;
  try {
    requireTime(id, record.expires_at, now);
    return await holderOf(db, record);
  } catch (error) {
    if (isFailure(error, 'unauthenticated')) return undefined;
    throw error;
  }
}

/** Throws `unauthenticated`. */
async function holderOf(db: CatalogDb, record: TokenRecord): Promise<TokenHolder> {
  const { id } = record;
  if (record.revoked_at !== null) throw refused('It was revoked.', id);
  const owner = record.user_id === null ? undefined : await findUser(db, record.user_id);
  if (record.user_id !== null && (owner === undefined || owner.disabled === 1))
    throw refused('Its owner is disabled.', id);
  const grants = owner === undefined ? [] : await grantsOf(db, owner.id);
  return new TokenHolder(record, owner, grants);
}

/** Throws `unauthenticated`. */
function requireTime(id: string, expiresAt: number | null, now: number): void {
  if (expiresAt !== null && expiresAt <= now) throw refused('It has expired.', id);
}

/** `token`: the id of a real one, for the audit log. */
function refused(hint?: string, token?: string): Failure {
  return new Failure('unauthenticated', 'The token does not open this service.', {
    ...given('hint', hint),
    details: { ...given('token', token) },
  });
}
