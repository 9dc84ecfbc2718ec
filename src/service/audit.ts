/** The audit log from the command line. */
import { type AuditFilter, type AuditHead, type AuditRecord, appendAudit, listAudit } from '../catalog/audit.ts';
import { noteAudit } from '../catalog/audit-sight.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import type { Session } from '../operations/session.ts';
import { type AuditCheck, type AuditFormat, acceptAudit, auditText, checkAudit } from '../server/access.ts';
import { cliActor } from './cli-actor.ts';

export type { AuditCheck } from '../server/access.ts';

/** One command's look into the log. Declare it with `await using`. */
export class AuditLog implements AsyncDisposable {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** The newest `limit` of those that pass, oldest first. */
  async newest(filter: AuditFilter, limit: number): Promise<AuditRecord[]> {
    return (await listAudit(this.#catalog.db, { ...filter, limit })).reverse();
  }

  text(format: AuditFormat, filter: AuditFilter): AsyncIterable<string> {
    return auditText(this.#catalog.db, format, filter);
  }

  /** `session`: the storages to hold it against; undefined: by itself. Throws `audit_broken`, `storages_failed`. */
  verify(
    session: Session | undefined,
    asked: { readonly known: AuditHead | undefined; readonly signal: AbortSignal },
  ): Promise<AuditCheck> {
    return checkAudit(this.#catalog, session, asked);
  }

  /** What is kept of another log counts no more from now on. That somebody said so is an entry of the log, and kept with the new head. */
  async accept(session: Session, why: string): Promise<void> {
    const by = cliActor();
    const entry = { actor: by, action: 'audit.accept', outcome: 'ok', details: { why } } as const;
    await acceptAudit(session, await appendAudit(this.#catalog.db, entry, session.clock.now()), { by, why });
    await noteAudit(this.#catalog.db, undefined, session.clock.now());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#catalog[Symbol.asyncDispose]();
  }
}

export async function openAuditLog(config: Configuration): Promise<AuditLog> {
  return new AuditLog(await openCatalog(await config.catalog()));
}
