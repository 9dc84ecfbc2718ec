/**
 * The audit log: who did what, when, from where, and how it ended. Every entry carries the SHA-256 of itself and of the one before, so that an
 * entry that is changed, removed or put in between shows. The newest hash is kept a second time, so that a log whose end was cut off shows, too.
 */
import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import { canonicalJson } from './canonical-json.ts';
import { type CatalogDb, storable, within } from './database.ts';
import { preparedForms } from './prepared.ts';
import type { AuditTable } from './schema.ts';

export type AuditOutcome = 'ok' | 'refused' | 'failed';

export interface AuditEntry {
  /** `user:NAME`, `token:NAME (USER)`, `cli:ACCOUNT@HOST`, `system`, or `anonymous`. */
  readonly actor: string;
  /** What was done, as `thing.verb`: login, session.end, user.add, point.download. */
  readonly action: string;
  readonly target?: string | undefined;
  readonly app?: string | undefined;
  /** Network address it came from. */
  readonly address?: string | undefined;
  readonly outcome: AuditOutcome;
  /** Figures and names; never a secret. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

/** An entry as it stands in the log; `details` is canonical JSON text. */
export type AuditRecord = Selectable<AuditTable>;

/** The newest entry: its number and its hash. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** What stands before the first entry. */
export const BEGINNING: AuditHead = { seq: 0, hash: '0'.repeat(64) };

const HEAD_KEY = 'audit.head';
const LONGEST = 500;

/**
 * Writes an entry. Inside a caller's transaction it stands or falls with that; on both databases one transaction at a time writes, from here to
 * its end, so append last.
 */
export function appendAudit(db: CatalogDb, entry: AuditEntry, now: number): Promise<AuditRecord> {
  return within(db, async (transaction) => {
    const head = await takeTurn(transaction);
    const unsigned = {
      seq: head.seq + 1,
      at: now,
      actor: clean(entry.actor),
      action: entry.action,
      target: entry.target === undefined ? null : clean(entry.target),
      app: entry.app === undefined ? null : clean(entry.app),
      address: entry.address ?? null,
      outcome: entry.outcome,
      details: canonicalJson(entry.details ?? {}),
      previous: head.hash,
    };
    const record = { ...unsigned, hash: hashOf(unsigned) };
    await transaction.insertInto('audit').values(record).execute();
    const value = canonicalJson({ seq: record.seq, hash: record.hash });
    await transaction.updateTable('catalog_values').set({ value }).where('key', '=', HEAD_KEY).execute();
    return record;
  });
}

/** Text that comes back from both databases as it was hashed. */
const clean = (text: string) => storable(text.slice(0, LONGEST)).toWellFormed();

/**
 * Until the transaction ends nobody else writes the audit log. What is decided after this on accounts and grants is decided one at a time, on
 * PostgreSQL as on SQLite. Answers the newest entry.
 */
export async function takeTurn(db: CatalogDb): Promise<AuditHead> {
  await db
    .insertInto('catalog_values')
    .values({ key: HEAD_KEY, value: canonicalJson(BEGINNING) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { value } = await db
    .updateTable('catalog_values')
    .set(({ ref }) => ({ value: ref('value') }))
    .where('key', '=', HEAD_KEY)
    .returning('value')
    .executeTakeFirstOrThrow();
  return JSON.parse(value) as AuditHead;
}

/** The newest entry as noted beside the log. */
export async function auditHead(db: CatalogDb): Promise<AuditHead> {
  const noted = await db.selectFrom('catalog_values').select('value').where('key', '=', HEAD_KEY).executeTakeFirst();
  return noted === undefined ? BEGINNING : (JSON.parse(noted.value) as AuditHead);
}

/** SHA-256 over the canonical JSON of all other columns, `previous` among them. */
export function hashOf({ hash: _hash, ...rest }: Omit<AuditRecord, 'hash'> & { readonly hash?: string }): string {
  return createHash('sha256').update(canonicalJson(rest)).digest('hex');
}

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly app?: string | undefined;
  readonly outcome?: string | undefined;
  /** Milliseconds since the epoch: from, and before. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** Newest first, from before `before`. */
export async function listAudit(db: CatalogDb, page: AuditPage): Promise<AuditRecord[]> {
  return (await selectPage(db, page)).rows;
}

interface AuditPage extends AuditFilter {
  readonly before?: number | undefined;
  readonly limit: number;
}

const selectPage = preparedForms((db: CatalogDb, { before, limit, ...filter }: AuditPage) => {
  const from = before === undefined ? filtered(db, filter) : filtered(db, filter).where('seq', '<', before);
  return from.orderBy('seq', 'desc').limit(limit);
});

/** Oldest first, a page at a time, so that a log of any length passes through little memory. */
export async function* readAudit(db: CatalogDb, filter: AuditFilter = {}, pageSize = 500): AsyncGenerator<AuditRecord> {
  for (let after = 0; ; ) {
    const page = await filtered(db, filter).where('seq', '>', after).orderBy('seq').limit(pageSize).execute();
    yield* page;
    if (page.length < pageSize) return;
    after = page.at(-1)!.seq;
  }
}

function filtered(db: CatalogDb, { actor, action, app, outcome, since, until }: AuditFilter) {
  let query = db.selectFrom('audit').selectAll();
  if (actor !== undefined) query = query.where('actor', '=', actor);
  if (action !== undefined) query = query.where('action', '=', action);
  if (app !== undefined) query = query.where('app', '=', app);
  if (outcome !== undefined) query = query.where('outcome', '=', outcome);
  if (since !== undefined) query = query.where('at', '>=', since);
  if (until !== undefined) query = query.where('at', '<', until);
  return query;
}
