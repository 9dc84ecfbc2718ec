/** Whether the audit log fits together from its first entry to the head that is kept beside it, and to one that was noted elsewhere. */
import { Failure } from '../base/failure.ts';
import { type AuditHead, type AuditRecord, auditHead, BEGINNING, hashOf, readAudit } from './audit.ts';
import type { Catalog } from './catalog.ts';
import { beginningOf } from './compare-audit.ts';

/**
 * Reads all of it. `known` is a head that was noted earlier, outside the catalog: whoever can write the catalog can also write a new chain, and
 * only what they cannot reach tells. `vouched`: heads that are kept elsewhere; a log may begin right after one of them. Throws `audit_broken` at
 * the first place that does not fit.
 */
export async function verifyAudit(
  catalog: Catalog,
  {
    known,
    vouched = [],
    signal,
  }: {
    readonly known?: AuditHead | undefined;
    readonly vouched?: readonly AuditHead[];
    readonly signal?: AbortSignal;
  } = {},
): Promise<AuditHead> {
  const head = await auditHead(catalog.db); // before the entries: whatever comes meanwhile is behind it
  const beginning = await beginningOf(catalog.db);
  let last = vouched.some((each) => sameHead(each, beginning)) ? beginning : BEGINNING;
  let seen = known === undefined || sameHead(known, last);
  for await (const record of readAudit(catalog.db)) {
    signal?.throwIfAborted();
    checkLink(last, record);
    if (record.seq === head.seq && record.hash !== head.hash)
      throw broken(`entry ${record.seq} is not the one noted as the newest`);
    last = { seq: record.seq, hash: record.hash };
    seen ||= sameHead(known!, last);
  }
  if (last.seq < head.seq)
    throw broken(`it ends with entry ${last.seq}, and entry ${head.seq} was written: the end was cut off`);
  if (!seen) throw broken(`entry ${known!.seq} is not, or no more, the one with the hash ${known!.hash}`);
  return last;
}

function checkLink(last: AuditHead, record: AuditRecord): void {
  const { seq, previous, hash } = record;
  const missing = seq - last.seq - 1;
  if (missing > 0)
    throw broken(`${missing === 1 ? `entry ${last.seq + 1} is` : `entries ${last.seq + 1} to ${seq - 1} are`} missing`);
  if (previous !== last.hash) throw broken(`entry ${seq} does not follow from the one before it`);
  if (hash !== hashOf(record)) throw broken(`entry ${seq} was changed after it was written`);
}

const sameHead = (a: AuditHead, b: AuditHead) => a.seq === b.seq && a.hash === b.hash;

function broken(how: string): Failure {
  return new Failure('audit_broken', `The audit log does not fit together: ${how}.`, {
    hint: 'Compare it with an export, or with the copy of the catalog in the storages, to see what is different.',
  });
}
