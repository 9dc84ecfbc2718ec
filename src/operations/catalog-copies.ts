/** Copies of the service's catalog in the repository: whoever has the storages and the key gets accounts, schedules and history back. */
import type { Id } from '../base/ids.ts';
import { readCatalogCopy, storeCatalogCopy } from '../repository/meta-catalog.ts';
import type { Session } from './session.ts';

/** A copy as `copyCatalog` writes it. The newest three are kept. */
export async function keepCatalogCopy({ repository }: Session, text: string, rows: number): Promise<Id> {
  return await storeCatalogCopy(repository, text, rows);
}

/** The newest that some storage can give; undefined when there is none. */
export async function lastCatalogCopy({ repository }: Session): Promise<string | undefined> {
  return (await readCatalogCopy(repository))?.text;
}
