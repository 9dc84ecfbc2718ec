/** Answers to requests that carried an `Idempotency-Key`: asked again, the same answer is given and nothing is done twice. */
import type { CatalogDb } from './catalog.ts';

/** Whose key it is; keys of different callers have nothing to do with each other. */
export interface OnceKey {
  readonly actor: string;
  readonly key: string;
}

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Null: it held a secret and was not kept. */
  readonly body: string | null;
}

export type Begun =
  | { readonly state: 'begun' }
  /** It was answered before, with this. */
  | { readonly state: 'answered'; readonly answer: KeptAnswer }
  /** It is being answered. */
  | { readonly state: 'busy' }
  /** The key came with another request. */
  | { readonly state: 'other' };

/**
 * Claims the key for a request, told by its hash. A claim without an answer that is older than `staleMs` belongs to a process that died: it is
 * taken over, so what is done under the key must itself not happen twice.
 */
export async function beginAnswer(
  db: CatalogDb,
  { actor, key }: OnceKey,
  request: string,
  now: number,
  staleMs: number,
): Promise<Begun> {
  const row = { actor, key, request, status: null, headers: null, body: null, created_at: now };
  const inserted = await db
    .insertInto('idempotency')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('key')
    .executeTakeFirst();
  if (inserted !== undefined) return { state: 'begun' };
  const known = await find(db, { actor, key });
  if (known === undefined) return { state: 'busy' }; // it was given up this moment
  if (known.request !== request) return { state: 'other' };
  if (known.status !== null) {
    const headers = JSON.parse(known.headers ?? '{}') as Record<string, string>;
    return { state: 'answered', answer: { status: known.status, headers, body: known.body } };
  }
  if (known.created_at > now - staleMs) return { state: 'busy' };
  const taken = await db
    .updateTable('idempotency')
    .set({ created_at: now })
    .where('actor', '=', actor)
    .where('key', '=', key)
    .where('status', 'is', null)
    .where('created_at', '=', known.created_at)
    .returning('key')
    .executeTakeFirst();
  return { state: taken === undefined ? 'busy' : 'begun' };
}

export async function keepAnswer(db: CatalogDb, { actor, key }: OnceKey, answer: KeptAnswer): Promise<void> {
  await db
    .updateTable('idempotency')
    .set({ status: answer.status, headers: JSON.stringify(answer.headers), body: answer.body })
    .where('actor', '=', actor)
    .where('key', '=', key)
    .execute();
}

/** Nothing came of it: the key is free again. */
export async function dropAnswer(db: CatalogDb, { actor, key }: OnceKey): Promise<void> {
  await db
    .deleteFrom('idempotency')
    .where('actor', '=', actor)
    .where('key', '=', key)
    .where('status', 'is', null)
    .execute();
}

/** Keys first used before `before` (ms since the epoch) are forgotten. */
export async function removeAnswers(db: CatalogDb, before: number): Promise<void> {
  await db.deleteFrom('idempotency').where('created_at', '<', before).execute();
}

function find(db: CatalogDb, { actor, key }: OnceKey) {
  return db.selectFrom('idempotency').selectAll().where('actor', '=', actor).where('key', '=', key).executeTakeFirst();
}
