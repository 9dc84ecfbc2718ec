/** Reads one node of a tree from a scanner that stands at its opening brace. */
import { isUtf8 } from 'node:buffer';
import { type Id, idFromBytes } from '../../base/ids.ts';
import { goUnquote } from './go-quote.ts';
import type { JsonScanner } from './json-scanner.ts';
import { parseTimeBytes } from './time.ts';
import { type ExtendedAttribute, fromGoMode, MAX_NAME_SIZE, type NodeType, type TreeNode } from './tree-node.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const EMPTY: Buffer = Buffer.alloc(0);
const MAX_UINT32 = 2 ** 32 - 1;
const ID_SIZE = 32;

const NODE_TYPES = (['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket'] as const).map((type) => ({
  type,
  bytes: Buffer.from(type),
}));

/** Members in the order in which they are written, so that the next one is mostly found at the first try. */
const MEMBERS = [
  'name',
  'type',
  'mode',
  'mtime',
  'atime',
  'ctime',
  'uid',
  'gid',
  'user',
  'group',
  'inode',
  'device_id',
  'size',
  'links',
  'linktarget',
  'linktarget_raw',
  'extended_attributes',
  'generic_attributes',
  'device',
  'content',
  'subtree',
  'error',
] as const;
type Member = (typeof MEMBERS)[number];
const MEMBER_BYTES = MEMBERS.map((name) => Buffer.from(name));

export class NodeReader {
  readonly #scanner: JsonScanner;
  readonly #id = new Uint8Array(ID_SIZE);
  #content = new Uint8Array(64 * ID_SIZE);
  /** Bytes of JSON that the content list of the last node took, also of one that was cut short. */
  contentSpan = 0;
  #rawTarget = false;
  /** Text and value of the time last read: the three times of a node are mostly alike. */
  #lastTime: Uint8Array = EMPTY;
  #lastTimeNs = 0n;
  /** Owners last read: the nodes of a tree mostly share theirs. */
  readonly #user = new RepeatedText();
  readonly #group = new RepeatedText();

  constructor(scanner: JsonScanner) {
    this.#scanner = scanner;
  }

  /** The next node. Throws `TruncatedJson` when the bytes end inside it, `data_damaged` when it is malformed. */
  read(): TreeNode {
    const scanner = this.#scanner;
    const node = emptyNode();
    let typed = false;
    let expected = 0;
    this.contentSpan = 0;
    this.#rawTarget = false;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      const member = this.#member(expected);
      if (member < 0) scanner.skip();
      else {
        expected = member + 1;
        if (!scanner.takeNull()) this.#value(MEMBERS[member]!, node);
        if (member === 1) typed = true;
      }
    }
    if (node.name.length === 0 || !typed) scanner.fail('a node lacks its name or type');
    return node;
  }

  /** Position in `MEMBERS` of the key just read, tried from `expected` on; -1 when it is none of them. */
  #member(expected: number): number {
    const scanner = this.#scanner;
    for (let i = expected; i < MEMBERS.length; i++) if (scanner.is(MEMBER_BYTES[i]!)) return i;
    for (let i = 0; i < expected; i++) if (scanner.is(MEMBER_BYTES[i]!)) return i;
    return -1;
  }

  #value(member: Member, node: Writable<TreeNode>): void {
    const scanner = this.#scanner;
    switch (member) {
      case 'name':
        node.name = this.#name();
        break;
      case 'type':
        node.type = this.#type();
        break;
      case 'mode':
        node.mode = fromGoMode(scanner.uint(MAX_UINT32));
        break;
      case 'mtime':
        node.mtimeNs = this.#time();
        break;
      case 'atime':
        node.atimeNs = this.#time();
        break;
      case 'ctime':
        node.ctimeNs = this.#time();
        break;
      case 'uid':
        node.uid = scanner.uint(MAX_UINT32);
        break;
      case 'gid':
        node.gid = scanner.uint(MAX_UINT32);
        break;
      case 'user':
        node.user = this.#user.read(scanner);
        break;
      case 'group':
        node.group = this.#group.read(scanner);
        break;
      case 'inode':
        node.inode = scanner.uint64();
        break;
      case 'device_id':
        node.deviceId = scanner.uint64();
        break;
      case 'size':
        node.size = scanner.uint(Number.MAX_SAFE_INTEGER);
        break;
      case 'links':
        node.links = scanner.uint(Number.MAX_SAFE_INTEGER);
        break;
      default:
        this.#rareValue(member, node);
    }
  }

  #rareValue(member: Member, node: Writable<TreeNode>): void {
    const scanner = this.#scanner;
    switch (member) {
      case 'linktarget':
        if (!this.#rawTarget) node.linkTarget = Buffer.from(this.#text());
        else scanner.skip();
        break;
      case 'linktarget_raw':
        node.linkTarget = Buffer.from(this.#text(), 'base64');
        this.#rawTarget = true;
        break;
      case 'extended_attributes':
        node.xattrs = this.#xattrs();
        break;
      case 'generic_attributes':
        node.genericAttributes = this.#raw();
        break;
      case 'device':
        node.device = scanner.uint64();
        break;
      case 'content':
        node.content = this.#ids();
        break;
      case 'subtree':
        node.subtree = this.#subtree();
        break;
      case 'error':
        node.error = this.#text();
        break;
    }
  }

  #text(): string {
    this.#scanner.string();
    return this.#scanner.text();
  }

  #name(): Buffer {
    const scanner = this.#scanner;
    scanner.string();
    if (scanner.to - scanner.from > 6 * MAX_NAME_SIZE) scanner.fail('a name is too long');
    const name = scanner.escaped ? goUnquote(scanner.text()) : this.#rawName();
    if (name.length > MAX_NAME_SIZE) scanner.fail('a name is too long');
    return name;
  }

  /** A name without escapes stands for itself. */
  #rawName(): Buffer {
    const name = this.#scanner.copy();
    return isUtf8(name) ? name : Buffer.from(name.toString());
  }

  #type(): NodeType {
    const scanner = this.#scanner;
    scanner.string();
    for (const { type, bytes } of NODE_TYPES) if (scanner.is(bytes)) return type;
    return scanner.fail('a node has an unknown type');
  }

  #time(): bigint {
    const scanner = this.#scanner;
    scanner.string();
    if (!scanner.is(this.#lastTime)) {
      this.#lastTimeNs = parseTimeBytes(scanner.bytes, scanner.from, scanner.to);
      this.#lastTime = scanner.copy();
    }
    return this.#lastTimeNs;
  }

  #subtree(): Id {
    this.#scanner.hexId(this.#id, 0);
    return idFromBytes(this.#id);
  }

  #ids(): Uint8Array {
    const scanner = this.#scanner;
    const begin = scanner.at;
    let size = 0;
    try {
      scanner.openArray();
      for (let first = true; scanner.nextElement(first); first = false) {
        if (size === this.#content.length) this.#growContent();
        scanner.hexId(this.#content, size);
        size += ID_SIZE;
      }
    } finally {
      this.contentSpan = scanner.at - begin;
    }
    return this.#content.slice(0, size);
  }

  #growContent(): void {
    const larger = new Uint8Array(2 * this.#content.length);
    larger.set(this.#content);
    this.#content = larger;
  }

  #xattrs(): ExtendedAttribute[] {
    const scanner = this.#scanner;
    const xattrs: ExtendedAttribute[] = [];
    scanner.openArray();
    for (let first = true; scanner.nextElement(first); first = false) xattrs.push(this.#xattr());
    return xattrs;
  }

  #xattr(): ExtendedAttribute {
    const scanner = this.#scanner;
    let name = '';
    let value: Buffer = EMPTY;
    scanner.openObject();
    for (let first = true; scanner.nextMember(first); first = false) {
      const key = scanner.text();
      if ((key !== 'name' && key !== 'value') || scanner.peek() !== 0x22) scanner.skip();
      else if (key === 'name') name = this.#text();
      else value = Buffer.from(this.#text(), 'base64');
    }
    return { name, value };
  }

  /** The JSON text of the next value. */
  #raw(): string {
    const scanner = this.#scanner;
    scanner.peek();
    const begin = scanner.at;
    scanner.skip();
    return scanner.bytes.toString('utf8', begin, scanner.at);
  }
}

/** Reads strings that are mostly the same as the one before, without making them anew. */
class RepeatedText {
  #bytes: Uint8Array = EMPTY;
  #text = '';

  read(scanner: JsonScanner): string {
    scanner.string();
    if (!scanner.is(this.#bytes)) {
      this.#text = scanner.text();
      this.#bytes = scanner.copy();
    }
    return this.#text;
  }
}

function emptyNode(): Writable<TreeNode> {
  return {
    name: EMPTY,
    type: 'file',
    mode: 0,
    mtimeNs: 0n,
    atimeNs: 0n,
    ctimeNs: 0n,
    uid: 0,
    gid: 0,
    inode: 0n,
    deviceId: 0n,
    size: 0,
    links: 0,
  };
}
