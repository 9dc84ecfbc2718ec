/**
 * Index files: which packs there are and which blobs each of them holds, so that no pack has to be opened to find a blob.
 * `{"packs":[{"id":…,"blobs":[{"id":…,"type":"data"|"tree","offset":…,"length":…,"uncompressed_length"?:…}]}]}`
 *
 * Reading is the hot path of opening a repository (ten million blobs are 1.5 GB of this), so it makes no object per blob.
 */
import { type Id, idFromBytes } from '../../base/ids.ts';
import { ENVELOPE_OVERHEAD } from '../crypto/envelope.ts';
import { JsonScanner } from './json-scanner.ts';
import type { PackedBlob } from './pack-header.ts';

const DATA_BLOB = 0;
const TREE_BLOB = 1;

export interface PackEntry {
  readonly id: Id;
  readonly blobs: readonly PackedBlob[];
}

/** Receives an index in order: each pack, then its blobs. */
export interface IndexSink {
  /** `id` has 32 bytes and is valid during the call only. */
  pack(id: Uint8Array): void;
  /** `id` has 32 bytes and is valid during the call only. `uncompressedLength` is 0 for a blob stored as it is. */
  blob(type: 0 | 1, id: Uint8Array, offset: number, length: number, uncompressedLength: number): void;
}

const MAX_UINT32 = 2 ** 32 - 1;
const key = (text: string) => Buffer.from(text);
const PACKS = key('packs');
const ID = key('id');
const BLOBS = key('blobs');
const TYPE = key('type');
const OFFSET = key('offset');
const LENGTH = key('length');
const UNCOMPRESSED_LENGTH = key('uncompressed_length');
const DATA = key('data');
const TREE = key('tree');

export function encodeIndex(packs: Iterable<PackEntry>): string {
  const parts: string[] = [];
  for (const { id, blobs } of packs) parts.push(`{"id":"${id}","blobs":[${blobs.map(encodeBlob).join(',')}]}`);
  return `{"packs":[${parts.join(',')}]}`;
}

function encodeBlob({ id, type, offset, length, uncompressedLength }: PackedBlob): string {
  const place = `"id":"${id}","type":"${type}","offset":${offset},"length":${length}`;
  return uncompressedLength === 0 ? `{${place}}` : `{${place},"uncompressed_length":${uncompressedLength}}`;
}

/** `scanIndex` for callers that want objects: `visit` is called once a pack. */
export function parseIndex(json: string | Uint8Array, visit: (pack: Id, blobs: PackedBlob[]) => void): void {
  let current: { id: Id; blobs: PackedBlob[] } | undefined;
  const flush = () => current && visit(current.id, current.blobs);
  scanIndex(typeof json === 'string' ? Buffer.from(json) : json, {
    pack: (id) => {
      flush();
      current = { id: idFromBytes(id), blobs: [] };
    },
    blob: (type, id, offset, length, uncompressedLength) => {
      const name = type === TREE_BLOB ? 'tree' : 'data';
      current?.blobs.push({ type: name, id: idFromBytes(id), offset, length, uncompressedLength });
    },
  });
  flush();
}

/** Reads the JSON of an index file. Unknown members are passed over. Throws `data_damaged` on malformed input, possibly midway. */
export function scanIndex(bytes: Uint8Array, sink: IndexSink): void {
  new IndexReader(bytes, sink).read();
}

class IndexReader {
  readonly #scanner = new JsonScanner();
  readonly #sink: IndexSink;
  readonly #packId = new Uint8Array(32);
  readonly #blobId = new Uint8Array(32);

  constructor(bytes: Uint8Array, sink: IndexSink) {
    this.#scanner.reset(bytes);
    this.#sink = sink;
  }

  read(): void {
    const scanner = this.#scanner;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      if (scanner.is(PACKS)) this.#packs();
      else scanner.skip();
    }
    if (!scanner.atEnd()) scanner.fail('something follows the index');
  }

  #packs(): void {
    const scanner = this.#scanner;
    if (scanner.takeNull()) return;
    scanner.openArray();
    for (let first = true; scanner.nextElement(first); first = false) this.#pack();
  }

  /** One pack. Its id may follow its blobs in the text; it goes to the sink first all the same. */
  #pack(): void {
    const scanner = this.#scanner;
    let named = false;
    let waiting = -1;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      if (scanner.is(ID)) {
        if (named) scanner.fail('a pack has two ids');
        scanner.hexId(this.#packId, 0);
        this.#sink.pack(this.#packId);
        named = true;
      } else if (scanner.is(BLOBS)) {
        if (named) this.#blobs();
        else if (waiting >= 0) scanner.fail('a pack has two lists of blobs');
        else {
          waiting = scanner.at;
          scanner.skip();
        }
      } else scanner.skip();
    }
    if (!named) scanner.fail('a pack has no id');
    if (waiting >= 0) this.#blobsAt(waiting);
  }

  #blobsAt(position: number): void {
    const after = this.#scanner.at;
    this.#scanner.at = position;
    this.#blobs();
    this.#scanner.at = after;
  }

  #blobs(): void {
    const scanner = this.#scanner;
    if (scanner.takeNull()) return;
    scanner.openArray();
    for (let first = true; scanner.nextElement(first); first = false) this.#blob();
  }

  #blob(): void {
    const scanner: JsonScanner = this.#scanner;
    let named = false;
    let type: 0 | 1 | undefined;
    let offset = -1;
    let length = -1;
    let uncompressedLength = 0;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      if (scanner.is(ID)) {
        scanner.hexId(this.#blobId, 0);
        named = true;
      } else if (scanner.is(TYPE)) type = this.#type();
      else if (scanner.is(OFFSET)) offset = scanner.uint(MAX_UINT32);
      else if (scanner.is(LENGTH)) length = scanner.uint(MAX_UINT32);
      else if (scanner.is(UNCOMPRESSED_LENGTH)) uncompressedLength = scanner.uint(MAX_UINT32);
      else scanner.skip();
    }
    if (!named || type === undefined || offset < 0) scanner.fail('a blob lacks its id, type or offset');
    if (length < ENVELOPE_OVERHEAD || offset + length > MAX_UINT32) scanner.fail('a blob has an impossible place');
    this.#sink.blob(type, this.#blobId, offset, length, uncompressedLength);
  }

  #type(): 0 | 1 {
    const scanner = this.#scanner;
    scanner.string();
    if (scanner.is(DATA)) return DATA_BLOB;
    if (scanner.is(TREE)) return TREE_BLOB;
    return scanner.fail('a blob is neither data nor tree');
  }
}
