/**
 * Reading without the ways of a transaction: the statements of the busiest paths, each by itself, go straight to the driver. On SQLite they
 * have a connection of their own, so that they wait for no transaction and see nothing of one that is under way.
 */
import type { CatalogDb } from './database.ts';

export interface DirectReads extends AsyncDisposable {
  /** Rows of one statement that reads. Throws what the catalog throws. */
  read<R>(text: string, parameters: readonly unknown[]): Promise<{ readonly rows: R[] }>;
  /** Another text as soon as anybody has committed anything; what was read before says nothing of what is read now. */
  version(): Promise<string>;
}

const known = new WeakMap<CatalogDb, DirectReads>();

/** From now on `db`, outside of transactions, is read so. */
export function readDirectly(db: CatalogDb, reads: DirectReads): void {
  known.set(db, reads);
}

/** Undefined for transactions, and for connections that hold one. */
export function directReads(db: CatalogDb): DirectReads | undefined {
  return known.get(db);
}
