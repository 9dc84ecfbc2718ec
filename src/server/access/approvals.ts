/** What takes two people: asked for by one, done when another says so. */
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import {
  type Approval,
  createApproval,
  decideApproval,
  expireApprovals,
  findApproval,
  firstExpiry,
  setApprovalRun,
} from '../../catalog/approvals.ts';
import { appendAudit } from '../../catalog/audit.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { appendEvent } from '../../catalog/events.ts';
import type { Labels } from '../../catalog/runs.ts';
import type { Role } from '../../catalog/schema.ts';
import { findUser } from '../../catalog/users.ts';
import type { Configuration } from '../../config/configuration.ts';
import { enqueue } from '../../scheduler/enqueue.ts';
import { EVERY_APP, type Params } from '../../scheduler/kinds.ts';
import { type AskedRun, requireRole } from '../principal.ts';
import type { Identity } from './identity.ts';

/** Work that removes backups for good, or brings in what others made; everything else takes an operator. */
const OF_ADMINISTRATORS: readonly string[] = ['forget', 'prune', 'import'];

/** The least role that may ask for a run of this kind, and that may approve it. */
export function leastRoleFor(kind: string): Role {
  return OF_ADMINISTRATORS.includes(kind) ? 'administrator' : 'operator';
}

export interface ApprovalWorld {
  readonly catalog: Catalog;
  /** That of now. */
  config(): Configuration;
}

/** From where and when. */
export interface Circumstances {
  readonly address: string;
  readonly now: number;
}

/** Puts a run before a second person instead of into the queue. */
export function askSecondPerson(
  { catalog }: ApprovalWorld,
  asked: AskedRun,
  by: Identity,
  { now, within }: { readonly now: number; readonly within: number },
): Promise<Approval> {
  return catalog.transaction(async (db) => {
    const { app, kind, params, reason } = asked;
    const approval = await createApproval(
      db,
      { action: kind, app, params, ...given('reason', reason), requestedBy: by.account, expiresAt: now + within },
      now,
    );
    const data = { approval: approval.id, action: kind, by: by.name };
    await appendEvent(db, { type: 'approval.requested', app, data }, now);
    const entry = {
      actor: by.actor,
      action: 'approval.request',
      target: approval.id,
      app,
      outcome: 'ok',
    } as const;
    await appendAudit(db, { ...entry, details: { kind, params } }, now);
    return approval;
  });
}

/**
 * The one decision there is; with an approval the run is queued in the same transaction. Throws `approval_unknown`, `approval_decided`,
 * `approval_own` (a token counts as its owner; one without an owner is nobody's second person), `forbidden`.
 */
export async function decide(
  { catalog, config }: ApprovalWorld,
  id: string,
  {
    state,
    by,
    address,
    now,
  }: Circumstances & { readonly state: 'approved' | 'refused' | 'cancelled'; readonly by: Identity },
): Promise<Approval> {
  await expire(catalog, now);
  const approval = await knownApproval(catalog, id, by);
  const app = approval.app ?? EVERY_APP;
  const own = approval.requested_by === by.account;
  if (!own || state !== 'cancelled') requireRole(by, app, leastRoleFor(approval.action));
  if (state !== 'cancelled') requireAnother(by, own);
  const labels = state !== 'approved' || app === EVERY_APP ? {} : (await config().plan(app)).labels;
  const decided = await catalog.transaction(async (db) => {
    if (!(await decideApproval(db, id, { state, by: by.account }, now))) return undefined;
    if (state === 'approved') await start(db, approval, labels, now);
    const data = { approval: id, action: approval.action, state, by: by.name };
    await appendEvent(db, { type: 'approval.decided', app, data }, now);
    await appendAudit(
      db,
      { actor: by.actor, action: `approval.${state}`, target: id, app, address, outcome: 'ok' },
      now,
    );
    return await findApproval(db, id);
  });
  if (decided !== undefined) return decided;
  throw new Failure('approval_decided', 'It was decided already, or its time is over.');
}

async function start(db: CatalogDb, approval: Approval, labels: Labels, now: number): Promise<void> {
  const asker = await findUser(db, approval.requested_by);
  const { run } = await enqueue(
    db,
    {
      ...{ app: approval.app ?? EVERY_APP, kind: approval.action, trigger: 'api', labels },
      params: JSON.parse(approval.params) as Params,
      requestedBy: asker?.name ?? approval.requested_by,
      ...given('reason', approval.reason ?? undefined),
    },
    now,
  );
  await setApprovalRun(db, approval.id, run.id);
}

function requireAnother(by: Identity, own: boolean): void {
  if (own)
    throw new Failure(
      'approval_own',
      'Nobody approves or refuses what they asked for themselves. Cancel it, or ask somebody else.',
    );
  if (by.kind === 'machine')
    throw new Failure('approval_own', 'Whoever works on the machine itself may be anybody, and is no second person.', {
      hint: 'Decide as yourself: in a browser, or with --server and a token of your account.',
    });
  if (by.kind === 'token' && by.owner === undefined)
    throw new Failure('approval_own', 'A token that belongs to nobody is no second person.');
}

/** Whoever may see nothing of its app hears that there is none. Throws `approval_unknown`. */
export async function knownApproval({ db }: Catalog, id: string, by: Identity): Promise<Approval> {
  const approval = await findApproval(db, id);
  if (approval !== undefined && by.role(approval.app ?? EVERY_APP) !== undefined) return approval;
  const hidden = approval !== undefined; // the same to whoever asks; the audit log knows it for a refusal
  throw new Failure('approval_unknown', 'There is no such request for approval.', { details: { hidden } });
}

/** What nobody decided in time is told as expired. When the next runs out, ms since the epoch. */
export async function expire(catalog: Catalog, now: number): Promise<number | undefined> {
  const first = await firstExpiry(catalog.db);
  if (first === undefined || first > now) return first;
  await catalog.transaction(async (db) => {
    for (const { id, app, action } of await expireApprovals(db, now)) {
      const data = { approval: id, action, state: 'expired' };
      await appendEvent(db, { type: 'approval.decided', ...given('app', app ?? undefined), data }, now);
    }
  });
  return firstExpiry(catalog.db);
}
