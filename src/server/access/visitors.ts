/**
 * Who shows a token or a cookie. Most ask many times: what the catalog says of them is read once and believed for as long as nothing at all is
 * written to it, by whomever. What time takes away is looked at with each request.
 */
import type { CatalogDb } from '../../catalog/catalog.ts';
import { grantsOf } from '../../catalog/grants.ts';
import { findSession, type SessionRecord, touchSession } from '../../catalog/sessions.ts';
import { findUser } from '../../catalog/users.ts';
import { Person, type TokenHolder } from './identity.ts';
import { hashSecret } from './secrets.ts';
import { hasEnded, type SessionTimes } from './sessions.ts';
import { type KnownToken, knownToken, SEEN_EVERY_MS, useToken } from './tokens.ts';

/** Of each kind, so many are remembered. */
const MOST = 1_000;

/** When somebody asks. */
export interface Moment {
  /** Of the catalog, asked for after the token or cookie came. */
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface KnownSession {
  readonly person: Person;
  /** As far as the catalog was told. */
  seenAt: number;
}

export class Visitors {
  readonly #db: CatalogDb;
  /** What is remembered is of this one; by the hash of what was shown. */
  #version: string | undefined;
  readonly #tokens = new Map<string, KnownToken>();
  readonly #sessions = new Map<string, KnownSession>();

  constructor(db: CatalogDb) {
    this.#db = db;
  }

  /** Throws `unauthenticated`. */
  async ofToken(token: string, { version, now }: Moment): Promise<TokenHolder> {
    const read = () => knownToken(this.#db, token);
    return useToken(this.#db, await this.#known(this.#tokens, hashSecret(token), version, read), now);
  }

  /** Undefined: the session has ended, or opens nothing any more. */
  async ofCookie(cookie: string, times: SessionTimes, { version, now }: Moment): Promise<Person | undefined> {
    const hash = hashSecret(cookie);
    const known = await this.#known(this.#sessions, hash, version, () => this.#readSession(hash));
    if (known === undefined || hasEnded({ ...known.person.session, seen_at: known.seenAt }, times, now))
      return undefined;
    if (now - known.seenAt >= SEEN_EVERY_MS) {
      known.seenAt = now; // told once, however many ask at this moment
      await touchSession(this.#db, hash, now);
    }
    return known.person;
  }

  async #readSession(hash: string): Promise<KnownSession | undefined> {
    const session = await findSession(this.#db, hash);
    const person = session && (await holderOfSession(this.#db, session));
    return person && { person, seenAt: person.session.seen_at };
  }

  async #known<T>(all: Map<string, T & {}>, key: string, version: string, read: () => Promise<T>): Promise<T> {
    this.#keepOnly(version);
    const known = all.get(key);
    if (known !== undefined) return known;
    const fresh = await read();
    if (fresh === undefined || fresh === null || this.#version !== version) return fresh;
    if (all.size >= MOST) all.clear();
    all.set(key, fresh);
    return fresh;
  }

  #keepOnly(version: string): void {
    if (this.#version === version) return;
    this.#version = version;
    this.#tokens.clear();
    this.#sessions.clear();
  }
}

/** Undefined: the account is gone or disabled. */
export async function holderOfSession(db: CatalogDb, session: SessionRecord): Promise<Person | undefined> {
  const user = await findUser(db, session.user_id);
  if (user === undefined || user.disabled === 1) return undefined;
  return new Person(user, await grantsOf(db, user.id), session);
}
