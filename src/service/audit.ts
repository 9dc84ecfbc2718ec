/** The audit log from the command line. */
import { type AuditFilter, type AuditHead, type AuditRecord, listAudit } from '../catalog/audit.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { verifyAudit } from '../catalog/verify-audit.ts';
import type { Configuration } from '../config/configuration.ts';
import { type AuditFormat, auditText } from '../server/access.ts';

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

  /** Throws `audit_broken`. */
  verify(known: AuditHead | undefined, signal: AbortSignal): Promise<AuditHead> {
    return verifyAudit(this.#catalog, { known, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#catalog[Symbol.asyncDispose]();
  }
}

export async function openAuditLog(config: Configuration): Promise<AuditLog> {
  return new AuditLog(await openCatalog(await config.catalog()));
}
