/**
 * The audit log held against what is kept of it in the storages: whoever can write the catalog can write a new log that fits together, but not
 * what was kept of the old one.
 */
import { Failure } from '../../base/failure.ts';
import type { AuditHead } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { type AuditDifference, auditOfCopy, findDifference, findFirstChange } from '../../catalog/compare-audit.ts';
import { verifyAudit } from '../../catalog/verify-audit.ts';
import {
  type AuditHeadEntry,
  type KeptAuditHeads,
  keepAuditHeads,
  keptAuditHeads,
} from '../../operations/audit-heads.ts';
import { lastCatalogCopy } from '../../operations/catalog-copies.ts';
import type { Session } from '../../operations/session.ts';

/** What the storages say of the log. */
export interface Comparison {
  /** Heads that the log was held against; 0: none is kept yet. */
  readonly heads: number;
  readonly newest: AuditHeadEntry | undefined;
  /** When a person said that the log is another one from then on. */
  readonly accepted: AuditHeadEntry | undefined;
  readonly storages: readonly string[];
  readonly unread: readonly string[];
}

export interface AuditCheck {
  readonly head: AuditHead;
  /** Undefined: the storages were not asked. */
  readonly comparison: Comparison | undefined;
}

/**
 * Reads all of the log. `session`: the storages to ask; undefined: the log is looked at by itself. Throws `audit_broken` with what does not fit,
 * `storages_failed` when no storage could be read.
 */
export async function checkAudit(
  catalog: Catalog,
  session: Session | undefined,
  { known, signal }: { readonly known?: AuditHead | undefined; readonly signal: AbortSignal },
): Promise<AuditCheck> {
  if (session === undefined) return { head: await verifyAudit(catalog, { known, signal }), comparison: undefined };
  const kept = await keptHeads(session);
  const heads = headsThatCount(kept.entries);
  const head = await verifyAudit(catalog, { known, signal, vouched: kept.entries });
  await requireNoDifference(catalog.db, session, heads);
  return { head, comparison: comparisonOf(kept, heads) };
}

/** Before the log is kept: one that is not the log of before is not, so that what is kept stays as evidence. Throws `audit_broken`. */
export async function requireSameAudit(db: CatalogDb, session: Session): Promise<void> {
  await requireNoDifference(db, session, headsThatCount((await keptAuditHeads(session)).entries));
}

/** Keeps the newest entry of a copy of the catalog, and what stands before its first where the copy leaves older ones out. */
export async function keepHeadsOfCopy(db: CatalogDb, session: Session, copy: string): Promise<void> {
  const links = auditOfCopy(copy);
  const [first, last] = [links[0], links.at(-1)];
  if (first === undefined || last === undefined) return;
  const { begin } = await db
    .selectFrom('audit')
    .select(({ fn }) => fn.min('seq').as('begin'))
    .executeTakeFirstOrThrow();
  const beginning = { kind: 'beginning', seq: first.seq - 1, hash: first.previous, ...NOBODY } as const;
  const head = { kind: 'head', seq: last.seq, hash: last.hash, ...NOBODY } as const;
  await keepAuditHeads(session, first.seq > Number(begin) ? [beginning, head] : [head]);
}

/** From now on this head counts, and those that were kept before do not. */
export function acceptAudit(
  session: Session,
  { seq, hash }: AuditHead,
  { by, why }: { readonly by: string; readonly why: string },
): Promise<void> {
  return keepAuditHeads(session, [{ kind: 'accepted', seq, hash, by, why }]);
}

const NOBODY = { by: '', why: '' };

async function keptHeads(session: Session): Promise<KeptAuditHeads> {
  const kept = await keptAuditHeads(session);
  if (kept.storages.length > 0) return kept;
  const reasons = [...kept.unread].map(([storage, { message }]) => `${storage}: ${message}`);
  throw new Failure('storages_failed', `No storage could be read: ${reasons.join('; ')}`);
}

function headsThatCount(entries: readonly AuditHeadEntry[]): readonly AuditHeadEntry[] {
  const accepted = entries.findLast(({ kind }) => kind === 'accepted');
  if (accepted === undefined) return entries;
  return entries.filter((entry) => entry === accepted || (entry.kind !== 'accepted' && entry.time > accepted.time));
}

function comparisonOf({ entries, storages, unread }: KeptAuditHeads, counted: readonly AuditHeadEntry[]): Comparison {
  const heads = counted.filter(({ kind }) => kind !== 'beginning');
  const accepted = entries.findLast(({ kind }) => kind === 'accepted');
  return { heads: heads.length, newest: heads.at(-1), accepted, storages, unread: [...unread.keys()] };
}

async function requireNoDifference(db: CatalogDb, session: Session, heads: readonly AuditHeadEntry[]): Promise<void> {
  const difference = await findDifference(db, heads);
  if (difference !== undefined) throw await differs(db, session, heads, difference);
}

async function differs(
  db: CatalogDb,
  session: Session,
  heads: readonly AuditHeadEntry[],
  { same, noted, missing }: AuditDifference,
): Promise<Failure> {
  const exact = await changeSeenInCopy(db, session);
  const from = exact !== undefined && exact > same && exact <= noted.seq ? exact : same + 1;
  const where =
    from === exact || from === noted.seq ? `entry ${from} on` : `one of the entries ${from} to ${noted.seq} on`;
  const at = heads.find(({ seq, hash }) => seq === noted.seq && hash === noted.hash)?.time;
  const when = at === undefined ? '' : ` on ${new Date(at).toISOString()}`;
  return new Failure(
    'audit_broken',
    `The audit log is not the one that the storages know: it differs from ${where}. Entry ${noted.seq}, kept${when}, ${missing ? 'is missing' : 'is another one now'}.`,
    {
      hint: 'The copies of the catalog in the storages hold what it was. If it was replaced on purpose: holdfast audit verify --accept "WHY"',
      details: { from, until: noted.seq },
    },
  );
}

/** The copies in the storages hold entries themselves; that they cannot be read takes nothing from what is known. */
async function changeSeenInCopy(db: CatalogDb, session: Session): Promise<number | undefined> {
  try {
    const copy = await lastCatalogCopy(session);
    return copy === undefined ? undefined : await findFirstChange(db, auditOfCopy(copy));
  } catch {
    session.signal.throwIfAborted();
    return undefined;
  }
}
