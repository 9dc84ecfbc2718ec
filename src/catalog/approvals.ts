/** What waits for a second person: asked for once, decided once. */
import type { Selectable } from 'kysely';
import { newId } from '../base/ids.ts';
import type { CatalogDb } from './catalog.ts';
import { prepared, preparedForms } from './prepared.ts';
import type { ApprovalsTable } from './schema.ts';

export type Approval = Selectable<ApprovalsTable>;
export type ApprovalState = Approval['state'];

export interface NewApproval {
  readonly action: string;
  readonly app?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  readonly reason?: string | undefined;
  /** The account, or `token:ID` of a token without one. */
  readonly requestedBy: string;
  readonly expiresAt: number;
}

export async function createApproval(db: CatalogDb, approval: NewApproval, now: number): Promise<Approval> {
  return db
    .insertInto('approvals')
    .values({
      id: newId(now),
      action: approval.action,
      app: approval.app ?? null,
      params: JSON.stringify(approval.params),
      reason: approval.reason ?? null,
      state: 'pending',
      requested_by: approval.requestedBy,
      requested_at: now,
      expires_at: approval.expiresAt,
      decided_by: null,
      decided_at: null,
      run_id: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findApproval(db: CatalogDb, id: string): Promise<Approval | undefined> {
  return db.selectFrom('approvals').selectAll().where('id', '=', id).executeTakeFirst();
}

export interface ApprovalPage {
  readonly state?: ApprovalState | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Newest first, from before `before`. */
export async function listApprovals(db: CatalogDb, page: ApprovalPage): Promise<Approval[]> {
  return (await selectPage(db, page)).rows;
}

const selectPage = preparedForms((db: CatalogDb, { state, before, limit }: ApprovalPage) => {
  let query = db.selectFrom('approvals').selectAll();
  if (state !== undefined) query = query.where('state', '=', state);
  if (before !== undefined) query = query.where('id', '<', before);
  return query.orderBy('id', 'desc').limit(limit);
});

/** From pending to `state`; whether it was this call that did it. Of several that decide at once, exactly one hears yes. */
export async function decideApproval(
  db: CatalogDb,
  id: string,
  { state, by }: { readonly state: 'approved' | 'refused' | 'cancelled'; readonly by: string },
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('approvals')
    .set({ state, decided_by: by, decided_at: now })
    .where('id', '=', id)
    .where('state', '=', 'pending')
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The run that came of it. */
export async function setApprovalRun(db: CatalogDb, id: string, runId: string): Promise<void> {
  await db.updateTable('approvals').set({ run_id: runId }).where('id', '=', id).execute();
}

/** When the first of those that nobody has decided runs out, ms since the epoch: asked with every look, so that a look writes nothing. */
export async function firstExpiry(db: CatalogDb): Promise<number | undefined> {
  return (await earliestPending(db, {})).rows[0]?.expires_at;
}

const earliestPending = prepared<Record<never, never>, Pick<Approval, 'expires_at'>>((db) =>
  db.selectFrom('approvals').select('expires_at').where('state', '=', 'pending').orderBy('expires_at').limit(1),
);

/** Those whose time is over are told as expired from now on. */
export async function expireApprovals(db: CatalogDb, now: number): Promise<Approval[]> {
  return db
    .updateTable('approvals')
    .set({ state: 'expired', decided_at: now })
    .where('state', '=', 'pending')
    .where('expires_at', '<=', now)
    .returningAll()
    .execute();
}
