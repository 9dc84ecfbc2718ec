/** Heads of the service's audit log, kept where whoever can write its catalog cannot reach them: sealed, in every storage. */
import { type AuditHeadEntry, type KeptAuditHeads, readAuditHeads, storeAuditHeads } from '../repository/meta-audit.ts';
import type { Session } from './session.ts';

export type { AuditHeadEntry, KeptAuditHeads } from '../repository/meta-audit.ts';

export function keptAuditHeads({ repository }: Session): Promise<KeptAuditHeads> {
  return readAuditHeads(repository);
}

/** Throws when no storage takes them. */
export function keepAuditHeads({ repository }: Session, heads: readonly Omit<AuditHeadEntry, 'time'>[]): Promise<void> {
  return storeAuditHeads(repository, heads);
}
