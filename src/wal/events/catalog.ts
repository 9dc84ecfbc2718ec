/**
 * Names of relations out of the log itself. A page of pg_class that is changed for the first time after a checkpoint is in the log as a
 * whole, with the names and files of all relations on it; so is every row that is added. What drops, truncates or rewrites a relation changes
 * its row: the name of what is gone is known without asking a server that no longer has it.
 */
import type { BlockReference } from '../../postgres/wal-records.ts';

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
const PAGE = 8192;
const PAGE_HEADER = 24;
const NORMAL_POINTER = 1;
const TUPLE_HEADER = 23;
const HEADER_LENGTH_AT = 22;
/** In the data of an insert: xl_heap_header, whose last byte is the length of the tuple's header. */
const INSERT_HEADER = 5;
const NAME = 64;
/** relallfrozen came in 18, before relkind. */
const KIND_AT = { before18: 115, from18: 119 } as const;
const KINDS = new Set('ritSvmcfpI');

export class LearnedCatalog {
  readonly #byFile = new Map<string, LearnedRelation>();
  readonly #byOid = new Map<string, LearnedRelation>();
  readonly #schemas = new Map<string, string>();
  readonly #kindAt: number;

  /** `major` of the server that wrote the log. */
  constructor(major: number) {
    this.#kindAt = major >= 18 ? KIND_AT.from18 : KIND_AT.before18;
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

  /**
   * Every row of the page that a record holds as an image; the result is row number `wanted`, from 1. Damaged and compressed images are
   * passed over.
   */
  learnPage(reference: BlockReference, wanted = 0): LearnedRelation | undefined {
    const page = wholePage(reference);
    if (page === undefined) return undefined;
    let found: LearnedRelation | undefined;
    const view = new DataView(page.buffer, page.byteOffset, PAGE);
    const lower = Math.min(view.getUint16(12, true), PAGE);
    for (let at = PAGE_HEADER; at + 4 <= lower; at += 4) {
      const pointer = view.getUint32(at, true);
      const [offset, flags, length] = [pointer & 0x7fff, (pointer >>> 15) & 3, pointer >>> 17];
      if (flags !== NORMAL_POINTER || length <= TUPLE_HEADER || offset + length > PAGE) continue;
      const learned = this.#learn(reference, page.subarray(offset + page[offset + HEADER_LENGTH_AT]!, offset + length));
      if ((at - PAGE_HEADER) / 4 + 1 === wanted) found = learned;
    }
    return found;
  }

  /** The row that an insert into a catalog carries; undefined when the page's image has it instead. */
  learnInsert(reference: BlockReference): LearnedRelation | undefined {
    const { data } = reference;
    if (data.length <= INSERT_HEADER) return undefined;
    return this.#learn(reference, data.subarray(INSERT_HEADER + data[INSERT_HEADER - 1]! - TUPLE_HEADER));
  }

  #learn({ relation, database }: BlockReference, row: Uint8Array): LearnedRelation | undefined {
    if (row.length < 4 + NAME + 4) return undefined;
    const view = new DataView(row.buffer, row.byteOffset, row.length);
    const oid = view.getUint32(0, true);
    const name = nameAt(row, 4);
    if (oid < FIRST_USER_OBJECT || name === undefined) return undefined;
    if (relation === CATALOG.namespace) {
      if (this.#schemas.size < MAX_LEARNED) this.#schemas.set(`${database}/${oid}`, name);
      return undefined;
    }
    const kind = String.fromCharCode(row[this.#kindAt] ?? 0);
    if (!KINDS.has(kind)) return undefined;
    const learned = { database, oid, name, schema: view.getUint32(68, true), file: view.getUint32(88, true), kind };
    this.#remember(learned);
    return learned;
  }

  /** An older row of the same relation still tells whose its old file was. */
  #remember(learned: LearnedRelation): void {
    if (this.#byFile.size >= MAX_LEARNED || TRANSIENT.test(learned.name)) return;
    this.#byFile.set(`${learned.database}/${learned.file}`, learned);
    this.#byOid.set(`${learned.database}/${learned.oid}`, learned);
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

/** The image with its hole filled. */
function wholePage({ image }: BlockReference): Uint8Array | undefined {
  if (image === undefined || image.compression !== 'none') return undefined;
  const { bytes, holeAt, hole } = image;
  if (bytes.length + hole !== PAGE || holeAt > bytes.length) return undefined;
  const page = new Uint8Array(PAGE);
  page.set(bytes.subarray(0, holeAt));
  page.set(bytes.subarray(holeAt), holeAt + hole);
  return page;
}
