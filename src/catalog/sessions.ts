/** Sessions of people who logged in with a browser. Only the hash of the cookie is kept. */
import type { Selectable } from 'kysely';
import { newId } from '../base/ids.ts';
import type { CatalogDb } from './catalog.ts';
import type { SessionsTable } from './schema.ts';

export type SessionRecord = Selectable<SessionsTable>;

export interface NewSession {
  /** SHA-256 of the cookie, in hex. */
  readonly hash: string;
  readonly userId: string;
  readonly csrf: string;
  /** Ends then, whatever happens. */
  readonly expiresAt: number;
  readonly address?: string | undefined;
  readonly agent?: string | undefined;
}

export async function createSession(db: CatalogDb, session: NewSession, now: number): Promise<SessionRecord> {
  return db
    .insertInto('sessions')
    .values({
      hash: session.hash,
      id: newId(now),
      user_id: session.userId,
      csrf: session.csrf,
      created_at: now,
      seen_at: now,
      expires_at: session.expiresAt,
      address: session.address ?? null,
      agent: session.agent ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findSession(db: CatalogDb, hash: string): Promise<SessionRecord | undefined> {
  return db.selectFrom('sessions').selectAll().where('hash', '=', hash).executeTakeFirst();
}

export async function touchSession(db: CatalogDb, hash: string, now: number): Promise<void> {
  await db.updateTable('sessions').set({ seen_at: now }).where('hash', '=', hash).execute();
}

/** Newest first. */
export function listSessions(db: CatalogDb, userId: string): Promise<SessionRecord[]> {
  return db.selectFrom('sessions').selectAll().where('user_id', '=', userId).orderBy('id', 'desc').execute();
}

/** Whether there was one. */
export async function endSession(
  db: CatalogDb,
  which: { readonly hash: string } | { readonly id: string; readonly userId: string },
): Promise<boolean> {
  const all = db.deleteFrom('sessions');
  const one =
    'hash' in which
      ? all.where('hash', '=', which.hash)
      : all.where('id', '=', which.id).where('user_id', '=', which.userId);
  const { numDeletedRows } = await one.executeTakeFirst();
  return numDeletedRows > 0n;
}

/** All of an account but the one named by `exceptHash`; how many. */
export async function endSessionsOf(db: CatalogDb, userId: string, exceptHash?: string): Promise<number> {
  const all = db.deleteFrom('sessions').where('user_id', '=', userId);
  const ended = exceptHash === undefined ? all : all.where('hash', '<>', exceptHash);
  return Number((await ended.executeTakeFirst()).numDeletedRows);
}

/** Those that ended by themselves: past their time, or not seen since `idleSince`. */
export async function removeEndedSessions(db: CatalogDb, now: number, idleSince: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('sessions')
    .where(({ eb, or }) => or([eb('expires_at', '<=', now), eb('seen_at', '<=', idleSince)]))
    .executeTakeFirst();
  return Number(numDeletedRows);
}
