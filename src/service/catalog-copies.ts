/** The catalog into a file or the repository and back. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { errno } from '../base/errno.ts';
import { Failure, isFailure } from '../base/failure.ts';
import { type AuditRecord, appendAudit } from '../catalog/audit.ts';
import { noteAudit } from '../catalog/audit-sight.ts';
import { type Catalog, type CatalogPlace, openCatalog } from '../catalog/catalog.ts';
import { type CopyReport, copyCatalog, restoreCatalog } from '../catalog/copy.ts';
import { keepCatalogCopy, lastCatalogCopy } from '../operations/catalog-copies.ts';
import type { Session } from '../operations/session.ts';
import { acceptAudit, keepHeadsOfCopy, requireSameAudit } from '../server/access.ts';
import { cliActor } from './cli-actor.ts';

export type { CopyReport } from '../catalog/copy.ts';

/** Writes the whole catalog into `file`, readable by its owner only; what was there is replaced when all of it is written. */
export async function exportCatalog(place: CatalogPlace, file: string, now: number): Promise<CopyReport> {
  const draft = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    const report = await writeCopy(place, draft, now);
    await rename(draft, file);
    return report;
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {}); // why it could not be written says more
    if (isFailure(cause)) throw cause;
    throw new Failure('output_failed', `${file} cannot be written: ${(cause as Error).message}.`, { cause });
  }
}

async function writeCopy(place: CatalogPlace, draft: string, now: number): Promise<CopyReport> {
  await using catalog = await openCatalog(place);
  await appendAudit(catalog.db, { actor: cliActor(), action: 'catalog.export', outcome: 'ok' }, now);
  const zip = createGzip();
  const written = pipeline(zip, createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }));
  written.catch(() => {}); // told below
  const write = async (lines: string) => {
    if (!zip.write(lines)) await Promise.race([once(zip, 'drain'), written]);
  };
  try {
    const report = await copyCatalog(catalog, { at: now, part: 'whole' }, write);
    zip.end();
    await written;
    return report;
  } catch (error) {
    zip.destroy();
    throw error;
  }
}

/** Puts a copy from a file into the catalog. Throws `data_damaged` when it is not whole, with nothing changed. */
export async function importCatalog(
  place: CatalogPlace,
  file: string,
  options: { readonly now: number; readonly replace: boolean },
): Promise<CopyReport> {
  await using catalog = await openCatalog(place);
  try {
    const unzipped = createGunzip();
    const reading = pipeline(createReadStream(file), unzipped);
    const [report] = await Promise.all([restoreCatalog(catalog, unzipped, options), reading]);
    await noteImport(catalog, report, options.now);
    return report;
  } catch (cause) {
    if (isFailure(cause)) throw cause;
    if (errno(cause) === 'ENOENT') throw new Failure('path_unknown', `There is no file ${file}.`, { cause });
    throw new Failure('data_damaged', `${file} is no copy of a catalog: ${(cause as Error).message}.`, { cause });
  }
}

/**
 * Keeps what cannot be told again in the repository, sealed, on every storage, and beside it the head of the audit log. For a process of its
 * own: see `frozen`. Throws `audit_broken`, with nothing kept, for an audit log that is not the one of before.
 */
export async function saveCatalog(place: CatalogPlace, session: Session): Promise<CopyReport> {
  await using catalog = await openCatalog(place);
  await requireKnownAudit(catalog, session);
  const parts: string[] = [];
  const at = session.clock.now();
  const report = await copyCatalog(catalog, { at, part: 'essential' }, (lines) => void parts.push(lines));
  const copy = parts.join('');
  await keepCatalogCopy(session, copy, report.rows);
  await keepHeadsOfCopy(catalog.db, session, copy);
  return report;
}

/** What was seen is written down: alerts tell people. */
async function requireKnownAudit(catalog: Catalog, session: Session): Promise<void> {
  try {
    await requireSameAudit(catalog.db, session);
    await noteAudit(catalog.db, undefined, session.clock.now());
  } catch (error) {
    if (isFailure(error, 'audit_broken')) await noteAudit(catalog.db, error.message, session.clock.now());
    throw error;
  }
}

/** Puts the newest copy of the repository into the catalog. */
export async function importSavedCatalog(place: CatalogPlace, session: Session, replace: boolean): Promise<CopyReport> {
  const text = await lastCatalogCopy(session);
  if (text === undefined) {
    throw new Failure('object_missing', 'The repository holds no copy of the catalog.', {
      hint: 'Start with an empty one: holdfast catalog rebuild',
    });
  }
  await using catalog = await openCatalog(place);
  const now = session.clock.now();
  const report = await restoreCatalog(catalog, oneChunk(text), { now, replace });
  const head = await noteImport(catalog, report, now);
  const by = { by: cliActor(), why: `the copy of ${new Date(report.at).toISOString()} was put back` };
  await requireSameAudit(catalog.db, session).catch(async (error: unknown) => {
    if (!isFailure(error, 'audit_broken')) throw error;
    await acceptAudit(session, head, by); // entries that were written after the copy are lost
  });
  return report;
}

function noteImport(catalog: Catalog, { at, rows, part }: CopyReport, now: number): Promise<AuditRecord> {
  const details = { of: new Date(at).toISOString(), rows, part };
  return appendAudit(catalog.db, { actor: cliActor(), action: 'catalog.import', outcome: 'ok', details }, now);
}

async function* oneChunk(text: string) {
  yield text;
}
