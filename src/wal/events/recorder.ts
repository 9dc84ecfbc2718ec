/** Takes the records that tell what transactions do, and keeps the books: what is open, and what names the log has told. */
import { RMGR, readBody, type WalRecord, XLOG } from '../../postgres/wal-records.ts';
import { CATALOG, FIRST_USER_OBJECT, type LearnedCatalog, rewrittenBy } from './catalog.ts';
import { fileKey, type OpenTransactions } from './transactions.ts';

/** Kinds of records: the upper bits of the info byte (src/include/access/heapam_xlog.h, storage_xlog.h, dbcommands_xlog.h). */
const HEAP = { mask: 0x70, insert: 0x00, delete: 0x10, update: 0x20, truncate: 0x30, hotUpdate: 0x40 } as const;
const HEAP2_MULTI_INSERT = 0x50;
const STORAGE_CREATE = 0x10;
const DATABASE = { createByCopy: 0x00, createByLog: 0x10, drop: 0x20 } as const;
/** Flags of a delete: an insert that was taken back; a row that goes to another partition. */
const DELETE_FLAG = { speculative: 0x08, partitionMove: 0x10 } as const;
const BLOCK_IMAGE = 0x10;
const IMAGE_HOLE = 0x01;
const IMAGE_COMPRESSED = 0x1c;
const RECORD_HEADER = 24;
const MAX_BLOCK = 32;
const LOCATOR = 12;
const BLOCK_NUMBER = 4;
const SHORT_MAIN = 255;
const DELETE_FLAGS_AT = 7;
const MAIN_FORK = 0;

export function wantsRecord(manager: number, info: number): boolean {
  const kind = info & 0xf0;
  if (manager === RMGR.xlog) return kind === XLOG.fullPageImage || kind === XLOG.fullPageImageForHint;
  if (manager === RMGR.storage) return kind === STORAGE_CREATE;
  return manager === RMGR.heap || manager === RMGR.heap2 || manager === RMGR.database;
}

export class Recorder {
  readonly #open: OpenTransactions;
  readonly #catalog: LearnedCatalog;

  constructor(open: OpenTransactions, catalog: LearnedCatalog) {
    this.#open = open;
    this.#catalog = catalog;
  }

  take(record: WalRecord): void {
    const { resourceManager: manager, info } = record;
    if (manager === RMGR.storage) this.#created(record);
    else if (manager === RMGR.database) this.#database(record);
    else if (manager === RMGR.heap && (info & HEAP.mask) === HEAP.truncate) this.#open.of(record.xid).truncates = true;
    else {
      const file = firstFile(record.bytes);
      if (file === CATALOG.class || file === CATALOG.namespace) this.#learn(record);
      if (manager === RMGR.xlog) this.#pages(record);
      else if (file >= FIRST_USER_OBJECT) this.#rows(record);
    }
  }

  #rows(record: WalRecord): void {
    const { resourceManager: manager, info, xid } = record;
    const kind = info & HEAP.mask;
    if (xid === 0 || (manager === RMGR.heap2 && kind !== HEAP2_MULTI_INSERT)) return;
    if (manager === RMGR.heap && kind !== HEAP.insert && kind !== HEAP.delete && kind !== HEAP.update) {
      if (kind !== HEAP.hotUpdate) return;
    }
    const { bytes } = record;
    const at = firstLocator(bytes);
    const locator = { tablespace: uint32(bytes, at), database: uint32(bytes, at + 4), relation: uint32(bytes, at + 8) };
    if (locator.database === 0) return;
    const counts = this.#open.counts(xid, locator);
    if (counts === undefined) return;
    if (manager === RMGR.heap2) counts.inserted += uint16(readBody(bytes)?.main ?? bytes.subarray(0, 0), 2);
    else if (kind === HEAP.insert) counts.inserted++;
    else if (kind !== HEAP.delete) counts.updated++;
    else {
      const flags = deleteFlags(bytes, at);
      if (flags & DELETE_FLAG.partitionMove) counts.updated++;
      else if ((flags & DELETE_FLAG.speculative) === 0) counts.deleted++;
    }
  }

  #learn(record: WalRecord): void {
    const body = readBody(record.bytes);
    if (body === undefined) return;
    const isHeap = record.resourceManager === RMGR.heap;
    const kind = record.info & HEAP.mask;
    for (const block of body.blocks) this.#catalog.learnPage(block);
    const [page, old = page] = body.blocks;
    if (page === undefined || old === undefined) return;
    if (isHeap && (kind === HEAP.update || kind === HEAP.hotUpdate)) this.#catalog.learnUpdate(page, old, body.main);
    if (isHeap && kind === HEAP.insert) {
      const learned = this.#catalog.learnInsert(page, uint16(body.main, 0));
      const stoodIn = learned === undefined ? undefined : rewrittenBy(learned.name);
      if (stoodIn !== undefined && record.xid !== 0) this.#open.of(record.xid).rewritten.add(stoodIn);
    }
    if (isHeap && kind === HEAP.delete && page.relation === CATALOG.class && record.xid !== 0) {
      this.#open.of(record.xid).catalogDeletes++;
    }
  }

  /** Pages as they are: an index that is built, a table that is copied. */
  #pages({ bytes, xid }: WalRecord): void {
    if (xid === 0) return;
    const { created } = this.#open.of(xid);
    if (created.size === 0) return;
    for (const block of readBody(bytes)?.blocks ?? []) {
      const pages = created.get(fileKey(block));
      if (pages !== undefined && block.fork === MAIN_FORK) created.set(fileKey(block), pages + 1);
    }
  }

  /** xl_smgr_create: a locator and the fork. */
  #created({ bytes, xid }: WalRecord): void {
    const main = readBody(bytes)?.main;
    if (main === undefined || main.length < 16 || xid === 0 || uint32(main, 12) !== MAIN_FORK) return;
    const locator = { tablespace: uint32(main, 0), database: uint32(main, 4), relation: uint32(main, 8) };
    this.#open.created(xid, locator);
  }

  #database({ bytes, xid, info, start }: WalRecord): void {
    const main = readBody(bytes)?.main;
    const kind = info & 0xf0;
    if (main === undefined || main.length < 4 || xid === 0) return;
    const dropped = kind === DATABASE.drop;
    if (!dropped && kind !== DATABASE.createByCopy && kind !== DATABASE.createByLog) return;
    const { databases } = this.#open.of(xid);
    if (databases.length < MAX_DATABASES) databases.push({ oid: uint32(main, 0), dropped, start });
  }
}

/** A transaction that makes or drops more databases tells only the first. */
const MAX_DATABASES = 64;

/** Where the locator of the first page is that a record refers to, without reading more of it; 0 when there is none. */
function firstLocator(bytes: Uint8Array): number {
  if (bytes.length < RECORD_HEADER + 20 || bytes[RECORD_HEADER]! > MAX_BLOCK) return 0;
  let at = RECORD_HEADER + 4;
  if (bytes[RECORD_HEADER + 1]! & BLOCK_IMAGE) {
    const flags = bytes[at + 4]!;
    at += (flags & IMAGE_HOLE) !== 0 && (flags & IMAGE_COMPRESSED) !== 0 ? 7 : 5;
  }
  return at + LOCATOR <= bytes.length ? at : 0;
}

function firstFile(bytes: Uint8Array): number {
  const at = firstLocator(bytes);
  return at === 0 ? 0 : uint32(bytes, at + 8);
}

/** Of xl_heap_delete. After the only page come, nearly always, the mark and the length of the main data, which is the end of the record. */
function deleteFlags(bytes: Uint8Array, locator: number): number {
  const mark = locator + LOCATOR + BLOCK_NUMBER;
  if (bytes[mark] !== SHORT_MAIN) return readBody(bytes)?.main[DELETE_FLAGS_AT] ?? 0;
  return bytes[bytes.length - bytes[mark + 1]! + DELETE_FLAGS_AT] ?? 0;
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return (uint16(bytes, at) | (uint16(bytes, at + 2) << 16)) >>> 0;
}
