/**
 * Names of relations out of the log itself. A page of pg_class that is changed for the first time after a checkpoint is in the log as a
 * whole, with the names and files of all relations on it; so is every row that is added. What drops, truncates or rewrites a relation changes
 * its row: the name of what is gone is known without asking a server that no longer has it.
 */
import type { BlockReference } from '../../postgres/wal-records.ts';
import { rowInRecord, rowsOf, UPDATE, updatedRow, wholePage } from './heap-page.ts';

/** What a row of pg_class says. */
export interface LearnedRelation {
  readonly database: number;
  readonly oid: number;
  readonly name: string;
  readonly schema: number;
  /** relfilenode; 0 for relations without a file. */
  readonly file: number;
  /** relkind: `r` table, `i` index, `t` TOAST, `S` sequence, `m` materialized view … */
  readonly kind: string;
}

/** Files of the catalogs as initdb makes them; after a VACUUM FULL of the catalog itself nothing more is learned from it. */
export const CATALOG = { class: 1259, namespace: 2615 } as const;
/** Object ids and files of users begin here. */
export const FIRST_USER_OBJECT = 16384;

/** Relations that are remembered, and schemas: about 40 MiB at most. The rest go without a name. */
const MAX_LEARNED = 100_000;
const SCHEMAS: readonly (readonly [number, string])[] = [
  [11, 'pg_catalog'],
  [99, 'pg_toast'],
  [2200, 'public'],
];
/** Longer rows (many options, bounds of partitions) are read, but not remembered for their updates. */
const MAX_ROW = 2048;
const NAME = 64;
/** relallfrozen came in 18, before relkind. */
const KIND_AT = { before18: 115, from18: 119 } as const;
const KINDS = new Set('ritSvmcfpI');

export class LearnedCatalog {
  readonly #byFile = new Map<string, LearnedRelation>();
  readonly #byOid = new Map<string, LearnedRelation>();
  readonly #schemas = new Map<string, string>();
  readonly #rows = new Map<string, Uint8Array>();
  readonly #major: () => number;

  /** `major` of the server that wrote the log, known once a page has been read. */
  constructor(major: () => number) {
    this.#major = major;
  }

  byFile(database: number, file: number): LearnedRelation | undefined {
    return this.#byFile.get(`${database}/${file}`);
  }

  byOid(database: number, oid: number): LearnedRelation | undefined {
    return this.#byOid.get(`${database}/${oid}`);
  }

  /** `schema.name`, or the name alone where the log does not say the schema. */
  nameOf({ database, schema, name }: LearnedRelation): string {
    const known = SCHEMAS.find(([oid]) => oid === schema)?.[1] ?? this.#schemas.get(`${database}/${schema}`);
    return known === undefined ? name : `${known}.${name}`;
  }

  /** Every row of the page that a record holds as an image. Damaged and compressed images are passed over. */
  learnPage(reference: BlockReference): void {
    const page = wholePage(reference);
    if (page === undefined) return;
    for (const { item, row } of rowsOf(page)) this.#learn(reference, item, row);
  }

  /** The row that an insert into a catalog added; undefined when it tells nothing. */
  learnInsert(reference: BlockReference, item: number): LearnedRelation | undefined {
    const row = rowInRecord(reference.data, 0);
    if (row !== undefined) return this.#learn(reference, item, row);
    const there = this.#rows.get(rowKey(reference, item));
    return there && this.#parse(reference, there);
  }

  /** The new row of an update: what it has in common with the old one is not in the record. */
  learnUpdate(reference: BlockReference, old: BlockReference, main: Uint8Array): void {
    if (main.length < UPDATE.length) return;
    const view = new DataView(main.buffer, main.byteOffset, main.length);
    const before = this.#rows.get(rowKey(old, view.getUint16(UPDATE.oldItem, true)));
    const row = updatedRow(reference.data, main[UPDATE.flags]!, before);
    if (row !== undefined) this.#learn(reference, view.getUint16(UPDATE.newItem, true), row);
  }

  #learn(reference: BlockReference, item: number, row: Uint8Array): LearnedRelation | undefined {
    const learned = this.#parse(reference, row);
    if (learned === undefined) return undefined;
    const key = rowKey(reference, item);
    if (row.length <= MAX_ROW && (this.#rows.size < MAX_LEARNED || this.#rows.has(key)))
      this.#rows.set(key, row.slice());
    if (this.#byFile.size >= MAX_LEARNED || rewrittenBy(learned.name) !== undefined) return learned;
    // an older row of the same relation still tells whose its old file was
    this.#byFile.set(`${learned.database}/${learned.file}`, learned);
    this.#byOid.set(`${learned.database}/${learned.oid}`, learned);
    return learned;
  }

  /** A row of pg_class; one of pg_namespace is remembered at once. */
  #parse({ relation, database }: BlockReference, row: Uint8Array): LearnedRelation | undefined {
    if (row.length < 4 + NAME + 4) return undefined;
    const view = new DataView(row.buffer, row.byteOffset, row.length);
    const oid = view.getUint32(0, true);
    const name = nameAt(row, 4);
    if (oid < FIRST_USER_OBJECT || name === undefined) return undefined;
    if (relation === CATALOG.namespace) {
      if (this.#schemas.size < MAX_LEARNED) this.#schemas.set(`${database}/${oid}`, name);
      return undefined;
    }
    const kind = String.fromCharCode(row[this.#major() >= 18 ? KIND_AT.from18 : KIND_AT.before18] ?? 0);
    if (!KINDS.has(kind)) return undefined;
    return { database, oid, name, schema: view.getUint32(68, true), file: view.getUint32(88, true), kind };
  }
}

/** The table that takes the rows of another while that is rewritten is named after its object id. */
const TRANSIENT = /^pg_temp_(\d{1,10})$/;

/** The object id of the table that is being rewritten, when `name` is of its stand-in. */
export function rewrittenBy(name: string): number | undefined {
  const [, oid] = TRANSIENT.exec(name) ?? [];
  return oid === undefined ? undefined : Number(oid);
}

function nameAt(row: Uint8Array, at: number): string | undefined {
  const field = Buffer.from(row.buffer, row.byteOffset + at, NAME);
  const end = field.indexOf(0);
  return end <= 0 ? undefined : field.toString('utf8', 0, end);
}

/** Where a row is: the page, and the number on it. */
function rowKey({ database, relation, block }: BlockReference, item: number): string {
  return `${database}/${relation}/${block}/${item}`;
}
