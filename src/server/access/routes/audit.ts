/** The audit log: looked at, taken away, verified. */
import * as endpoints from '../../../api/administration.ts';
import { asFailure, isFailure } from '../../../base/failure.ts';
import { silent } from '../../../base/progress.ts';
import { type AuditFilter, type AuditHead, appendAudit, listAudit } from '../../../catalog/audit.ts';
import { openSession } from '../../../operations/open-session.ts';
import type { Api } from '../../api.ts';
import { pageText } from '../../json.ts';
import { streamed } from '../../streamed.ts';
import { milliseconds, time } from '../../views/times.ts';
import { type AuditCheck, checkAudit } from '../audit-check.ts';
import { auditText } from '../audit-export.ts';
import { auditEntryText } from '../views.ts';
import type { AccessParts } from '../world.ts';

const TYPES = { jsonl: 'application/jsonl', csv: 'text/csv; charset=utf-8' } as const;

type AskedFilter = {
  readonly [K in keyof AuditFilter]: (K extends 'since' | 'until' ? string : AuditFilter[K]) | undefined;
};

export function registerAudit(api: Api, parts: AccessParts): void {
  const { catalog, db, deps } = parts;

  api.route(endpoints.listAudit, async ({ query: { cursor, limit, ...asked } }) => {
    const before = cursor === undefined || !/^\d{1,15}$/.test(cursor) ? undefined : Number(cursor);
    const found = await listAudit(db, { ...filterOf(asked), before, limit: limit + 1 });
    const page = found.slice(0, limit);
    const next = found.length > limit ? String(page.at(-1)!.seq) : null;
    return { text: pageText(page.map(auditEntryText), next) };
  });

  api.route(endpoints.exportAudit, async ({ query: { format, ...asked }, principal, now, request }, context) => {
    await appendAudit(
      db,
      { ...parts.actorOf(principal, context), action: 'audit.export', outcome: 'ok', details: { format } },
      now,
    );
    const headers = {
      'content-type': TYPES[format],
      'content-disposition': `attachment; filename="audit.${format}"`,
      'cache-control': 'no-store',
    };
    return streamed(request, headers, async (write) => {
      for await (const piece of auditText(db, format, filterOf(asked))) if (!(await write(piece))) return;
    });
  });

  api.route(endpoints.verifyAudit, async ({ query: { seq, hash }, signal }) => {
    const known = seq === undefined || hash === undefined ? undefined : { seq, hash };
    try {
      return { body: shown(await againstStorages(known, signal)) };
    } catch (error) {
      if (!isFailure(error, 'audit_broken')) throw error;
      return { body: { ...NOTHING_COMPARED, whole: false, problem: error.message, entries: null, hash: null } };
    }
  });

  /** By itself, with the reason, where no storage can be asked. */
  async function againstStorages(known: AuditHead | undefined, signal: AbortSignal) {
    try {
      await using session = await openSession(api.deps.config(), { clock: deps.clock, signal, progress: silent });
      return { ...(await checkAudit(catalog, session, { known, signal })), reason: null };
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'audit_broken' || failure.code === 'catalog_failed' || signal.aborted) throw error;
      return { ...(await checkAudit(catalog, undefined, { known, signal })), reason: failure.message };
    }
  }
}

const NOTHING_COMPARED = {
  compared: false,
  not_compared: null,
  heads: null,
  newest_head: null,
  storages: [],
  unread: [],
};

function shown({ head, comparison, reason }: AuditCheck & { readonly reason: string | null }) {
  const { newest, heads = null, storages = [], unread = [] } = comparison ?? {};
  return {
    ...{ whole: true, problem: null, entries: head.seq, hash: head.hash },
    ...{
      compared: comparison !== undefined,
      not_compared: reason,
      heads,
      storages: [...storages],
      unread: [...unread],
    },
    newest_head: newest === undefined ? null : { seq: newest.seq, time: time(newest.time) },
  };
}

function filterOf({ since, until, ...rest }: AskedFilter): AuditFilter {
  return { ...rest, since: milliseconds(since), until: milliseconds(until) };
}
