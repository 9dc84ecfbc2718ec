/**
 * What transactions that have not ended yet have done so far: rows by relation, files made. Bounded: a transaction that never ends (a crash)
 * or one that touches everything must not fill the memory.
 */
import type { Lsn } from '../../postgres/lsn.ts';
import type { RelationLocator } from '../../postgres/wal-records.ts';

/** Rows that a transaction wrote to a relation. */
export interface RowCounts {
  readonly locator: RelationLocator;
  deleted: number;
  updated: number;
  inserted: number;
}

export interface OpenTransaction {
  /** By file. */
  readonly rows: Map<string, RowCounts>;
  /** Files of relations it made, with the pages written to them as whole images: a copy of rows, or an index. */
  readonly created: Map<string, number>;
  /** Object ids of tables that are rewritten: the name of the table that takes the rows for the time being says which. */
  readonly rewritten: Set<number>;
  /** Databases that were made or dropped; the data of one that is dropped goes with this record, before the commit. */
  readonly databases: { readonly oid: number; readonly dropped: boolean; readonly start: Lsn }[];
  /** Rows of pg_class that it deleted. */
  catalogDeletes: number;
  /** A TRUNCATE that says so itself (`wal_level = logical`). */
  truncates: boolean;
}

/** Relations and files that are remembered for all open transactions together: about 20 MiB. */
export const MAX_ENTRIES = 100_000;

export function fileKey({ tablespace, database, relation }: RelationLocator): string {
  return `${tablespace}/${database}/${relation}`;
}

export class OpenTransactions {
  readonly #open = new Map<number, OpenTransaction>();
  #entries = 0;
  /** The last one asked for: records of one transaction come in rows. */
  #lastXid = 0;
  #last: OpenTransaction | undefined;
  #lastCounts: RowCounts | undefined;

  of(xid: number): OpenTransaction {
    if (xid === this.#lastXid && this.#last !== undefined) return this.#last;
    let found = this.#open.get(xid);
    if (found === undefined) {
      this.#makeRoom();
      found = newTransaction();
      this.#open.set(xid, found);
      this.#entries++;
    }
    this.#lastXid = xid;
    this.#last = found;
    this.#lastCounts = undefined;
    return found;
  }

  /** The counts of a relation; undefined when this transaction alone has more relations than are remembered. */
  counts(xid: number, locator: RelationLocator): RowCounts | undefined {
    const transaction = this.of(xid);
    const last = this.#lastCounts?.locator;
    if (last?.relation === locator.relation && last.database === locator.database) return this.#lastCounts;
    const key = fileKey(locator);
    let counts = transaction.rows.get(key);
    if (counts === undefined && this.#takeEntry()) {
      counts = { locator, deleted: 0, updated: 0, inserted: 0 };
      transaction.rows.set(key, counts);
    }
    this.#lastCounts = counts;
    return counts;
  }

  created(xid: number, locator: RelationLocator): void {
    const transaction = this.of(xid);
    if (this.#takeEntry()) transaction.created.set(fileKey(locator), 0);
  }

  /** A transaction has ended. Its doings, those of its subtransactions added. */
  end(xid: number, subtransactions: readonly number[]): OpenTransaction | undefined {
    let whole = this.#remove(xid);
    for (const each of subtransactions) {
      const part = this.#remove(each);
      if (part !== undefined) whole = whole === undefined ? part : merged(whole, part);
    }
    return whole;
  }

  #remove(xid: number): OpenTransaction | undefined {
    const found = this.#open.get(xid);
    if (found === undefined) return undefined;
    this.#open.delete(xid);
    this.#entries -= 1 + found.rows.size + found.created.size;
    if (xid === this.#lastXid) this.#last = undefined;
    return found;
  }

  #takeEntry(): boolean {
    if (this.#entries >= MAX_ENTRIES && this.#open.size === 1) return false;
    this.#makeRoom();
    this.#entries++;
    return true;
  }

  /** Forgets the smaller half of the open transactions, never the one at work. */
  #makeRoom(): void {
    if (this.#entries < MAX_ENTRIES) return;
    const bySize = [...this.#open]
      .filter(([xid]) => xid !== this.#lastXid)
      .sort(([, a], [, b]) => weight(a) - weight(b));
    for (const [xid] of bySize.slice(0, Math.ceil(bySize.length / 2))) this.#remove(xid);
  }
}

function newTransaction(): OpenTransaction {
  return {
    rows: new Map(),
    created: new Map(),
    rewritten: new Set(),
    databases: [],
    catalogDeletes: 0,
    truncates: false,
  };
}

function weight({ rows, created }: OpenTransaction): number {
  let total = created.size;
  for (const { deleted, updated, inserted } of rows.values()) total += deleted + updated + inserted;
  return total;
}

function merged(whole: OpenTransaction, part: OpenTransaction): OpenTransaction {
  for (const [key, counts] of part.rows) {
    const there = whole.rows.get(key);
    if (there === undefined) whole.rows.set(key, counts);
    else {
      there.deleted += counts.deleted;
      there.updated += counts.updated;
      there.inserted += counts.inserted;
    }
  }
  for (const [key, pages] of part.created) whole.created.set(key, pages);
  for (const oid of part.rewritten) whole.rewritten.add(oid);
  whole.databases.push(...part.databases);
  whole.catalogDeletes += part.catalogDeletes;
  whole.truncates ||= part.truncates;
  return whole;
}
