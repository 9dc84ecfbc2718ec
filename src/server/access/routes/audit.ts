/** The audit log: looked at, taken away, verified. */
import * as endpoints from '../../../api/administration.ts';
import { isFailure } from '../../../base/failure.ts';
import { type AuditFilter, appendAudit, listAudit } from '../../../catalog/audit.ts';
import { verifyAudit } from '../../../catalog/verify-audit.ts';
import type { Api } from '../../api.ts';
import { streamed } from '../../streamed.ts';
import { milliseconds } from '../../views/times.ts';
import { auditText } from '../audit-export.ts';
import { showAuditEntry } from '../views.ts';
import type { AccessParts } from '../world.ts';

const TYPES = { jsonl: 'application/jsonl', csv: 'text/csv; charset=utf-8' } as const;

type AskedFilter = {
  readonly [K in keyof AuditFilter]: (K extends 'since' | 'until' ? string : AuditFilter[K]) | undefined;
};

export function registerAudit(api: Api, parts: AccessParts): void {
  const { catalog, db } = parts;

  api.route(endpoints.listAudit, async ({ query: { cursor, limit, ...asked } }) => {
    const before = cursor === undefined || !/^\d{1,15}$/.test(cursor) ? undefined : Number(cursor);
    const found = await listAudit(db, { ...filterOf(asked), before, limit: limit + 1 });
    const items = found.slice(0, limit).map(showAuditEntry);
    return { body: { items, next: found.length > limit ? String(items.at(-1)!.seq) : null } };
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
      const head = await verifyAudit(catalog, { known, signal });
      return { body: { whole: true, problem: null, entries: head.seq, hash: head.hash } };
    } catch (error) {
      if (!isFailure(error, 'audit_broken')) throw error;
      return { body: { whole: false, problem: error.message, entries: null, hash: null } };
    }
  });
}

function filterOf({ since, until, ...rest }: AskedFilter): AuditFilter {
  return { ...rest, since: milliseconds(since), until: milliseconds(until) };
}
