import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import { damagedCopies, decodesOrRefuses, numbers } from './testing/hostile.ts';
import { encodeNode, isPlainName, parseTree, TREE_PREFIX, TREE_SUFFIX, type TreeNode, TreeParser } from './tree.ts';

const SUBTREE = 'ab'.repeat(32) as Id;
const SECOND = 1_000_000_000n;

const plain: TreeNode = {
  name: Buffer.from('report.pdf'),
  type: 'file',
  mode: 0o644,
  mtimeNs: 1_700_000_000n * SECOND,
  atimeNs: 1_700_000_000n * SECOND,
  ctimeNs: 1_700_000_000n * SECOND + 120n,
  uid: 0,
  gid: 1000,
  user: 'root',
  group: 'clinic',
  inode: 18_446_744_073_709_551_615n,
  deviceId: 9_007_199_254_740_993n,
  size: 5,
  links: 1,
  content: Buffer.alloc(32, 0xcd),
};

/** One of everything, names in ascending order. */
const nodes: TreeNode[] = [
  { ...plain, name: Buffer.from('a "b"\n\\'), size: 0, content: new Uint8Array(0) },
  { ...plain, name: Buffer.from('big'), content: Buffer.from(Array.from({ length: 32 * 100 }, (_, i) => i & 255)) },
  minimal('chardev', { device: 259n, mode: 0o620 }),
  minimal('dev', { device: 2n ** 63n }),
  minimal('dir', { subtree: SUBTREE, mode: 0o1777, error: 'odd <thing>' }),
  minimal('fifo', {}),
  {
    ...plain,
    name: Buffer.from('old'),
    mtimeNs: -1n,
    atimeNs: 5n,
    genericAttributes: '{"windows.creation_time":"AAA="}',
  },
  minimal('socket', {}),
  minimal('symlink', { linkTarget: Buffer.from('bad\xff<target>', 'latin1') }),
  minimal('symlink', { name: Buffer.from('symlink2'), linkTarget: Buffer.from('../fine&good') }),
  {
    ...plain,
    name: Buffer.from('\xff\x00'.slice(0, 1), 'latin1'),
    xattrs: [{ name: 'user.a&b', value: Buffer.of(0, 255) }],
  },
];

function minimal(type: TreeNode['type'], more: Partial<TreeNode>): TreeNode {
  const times = { mtimeNs: 0n, atimeNs: 0n, ctimeNs: 0n };
  const rest = { uid: 1, gid: 2, inode: 0n, deviceId: 0n, size: 0, links: 0 };
  return { name: Buffer.from(type), type, mode: 0o755, ...times, ...rest, ...more };
}

function treeOf(list: readonly TreeNode[]): Buffer {
  const joined = list.flatMap((node, i) => (i === 0 ? [encodeNode(node)] : [Buffer.from(','), encodeNode(node)]));
  return Buffer.concat([TREE_PREFIX, ...joined, TREE_SUFFIX]);
}

/** Buffers and plain arrays of bytes alike, so that nodes can be compared. */
function comparable(list: readonly TreeNode[]): unknown[] {
  return list.map((node) => ({ ...node, content: node.content && Buffer.from(node.content) }));
}

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('a file is written member by member as the format wants', () => {
  assert.equal(
    encodeNode(plain).toString(),
    '{"name":"report.pdf","type":"file","mode":420,"mtime":"2023-11-14T22:13:20Z","atime":"2023-11-14T22:13:20Z",' +
      '"ctime":"2023-11-14T22:13:20.00000012Z","uid":0,"gid":1000,"user":"root","group":"clinic",' +
      '"inode":18446744073709551615,"device_id":9007199254740993,"size":5,"links":1,' +
      `"content":["${'cd'.repeat(32)}"]}`,
  );
});

test('empty members are left out, content never is', () => {
  assert.equal(
    encodeNode(minimal('dir', { subtree: SUBTREE, mode: 0o1777 })).toString(),
    '{"name":"dir","type":"dir","mode":2148532735,"mtime":"1970-01-01T00:00:00Z","atime":"1970-01-01T00:00:00Z",' +
      `"ctime":"1970-01-01T00:00:00Z","uid":1,"gid":2,"content":null,"subtree":"${SUBTREE}"}`,
  );
  assert.match(
    encodeNode(minimal('file', { mode: 0, content: new Uint8Array(0) })).toString(),
    /"type":"file","mtime".*"content":\[\]\}$/,
  );
});

test('a link target that is no text is written twice', () => {
  assert.match(
    encodeNode(nodes[8]!).toString(),
    /"linktarget":"bad\\ufffd\\u003ctarget\\u003e","linktarget_raw":"YmFk\/zx0YXJnZXQ\+","content":null/,
  );
});

test('the file modes of all types are those of Go', () => {
  const mode = (type: TreeNode['type'], bits: number) =>
    Number(/"mode":(\d+)/.exec(encodeNode(minimal(type, { mode: bits })).toString())?.[1]);
  assert.equal(mode('file', 0o6755), 0o755 + 2 ** 23 + 2 ** 22);
  assert.equal(mode('symlink', 0o777), 134_218_239);
  assert.equal(mode('dev', 0o660), 67_109_296);
  assert.equal(mode('chardev', 0o620), 69_206_416);
  assert.equal(mode('fifo', 0o644), 33_554_852);
  assert.equal(mode('socket', 0o755), 16_777_709);
});

test('a tree of everything comes back, and is written the same again', () => {
  const bytes = treeOf(nodes);
  const parsed = parseTree(bytes);
  assert.deepEqual(comparable(parsed), comparable(nodes));
  assert.deepEqual(treeOf(parsed), bytes);
  assert.deepEqual(parseTree(treeOf([])), []);
});

test('a tree may be cut into pieces anywhere', () => {
  const bytes = treeOf(nodes);
  const below = numbers(11);
  for (let round = 0; round < 150; round++) {
    const parser = new TreeParser();
    const parsed: TreeNode[] = [];
    const largest = round < 5 ? 1 : 1 + below(round * 20);
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + below(largest);
      parsed.push(...parser.push(Buffer.from(bytes.subarray(at, at + size))));
      at += size;
    }
    parsed.push(...parser.end());
    assert.deepEqual(comparable(parsed), comparable(nodes));
  }
});

test('the caller may reuse its buffer after every piece', () => {
  const bytes = treeOf(nodes);
  const piece = Buffer.alloc(100);
  const parser = new TreeParser();
  const parsed: TreeNode[] = [];
  for (let at = 0; at < bytes.length; at += piece.length) {
    const size = bytes.copy(piece, 0, at, at + piece.length);
    parsed.push(...parser.push(piece.subarray(0, size)));
    piece.fill(0);
  }
  parsed.push(...parser.end());
  assert.deepEqual(comparable(parsed), comparable(nodes));
});

test('white space, unknown members and another order are accepted', () => {
  const json = ` { "future" : {"nodes":[1]}, "nodes" : [ { "content" : [ "${'cd'.repeat(32)}" ], "new": [{}],
    "type":"file", "user":null, "ctime":"2023-11-14T23:13:20+01:00", "name":"\\u0061\\\\x62" } ] , "later": [1,2] } \n`;
  const [node] = parseTree(Buffer.from(json));
  assert.equal(node?.name.toString(), 'ab');
  assert.equal(node?.ctimeNs, 1_700_000_000n * SECOND);
  assert.equal(node?.user, undefined);
  assert.deepEqual(parseTree(Buffer.from('{"nodes":null}')), []);
});

test('a node of many blobs in small pieces takes linear time', () => {
  const content = Buffer.alloc(32 * 60_000, 7);
  const bytes = treeOf([{ ...plain, content }]);
  const parser = new TreeParser();
  const parsed: TreeNode[] = [];
  for (let at = 0; at < bytes.length; at += 512) parsed.push(...parser.push(bytes.subarray(at, at + 512)));
  parsed.push(...parser.end());
  assert.deepEqual(Buffer.from(parsed[0]!.content!), content);
});

test('a tree cut short is refused at its end', () => {
  const bytes = treeOf(nodes.slice(0, 3));
  for (let length = 0; length < bytes.length - 2; length += 5) {
    assert.throws(() => parseTree(bytes.subarray(0, length)), isDamage);
  }
});

test('a node that grows without end is refused while it grows', () => {
  const parser = new TreeParser();
  parser.push(Buffer.from('{"nodes":[{"name":"'));
  const piece = Buffer.alloc(1024 * 1024, 0x61);
  assert.throws(() => {
    for (let i = 0; i < 200; i++) parser.push(piece);
  }, isDamage);
});

test('malformed trees and nodes are refused', () => {
  const node = (change: object) => JSON.stringify({ nodes: [{ name: 'x', type: 'file', content: [], ...change }] });
  for (const json of [
    '[]',
    '{}',
    'null',
    '{"nodes":{}}',
    '{"nodes":[5]}',
    '{"nodes":[null]}',
    '{"nodes":[],"nodes":[]}',
    '{"nodes":[]}{}',
    '{"nodes":[,]}',
    node({ name: '' }),
    node({ name: undefined }),
    node({ name: 5 }),
    node({ name: 'a"b' }),
    node({ name: '\\q' }),
    node({ name: 'x'.repeat(4097) }),
    node({ type: undefined }),
    node({ type: 'irregular' }),
    node({ mode: -1 }),
    node({ mode: 2 ** 32 }),
    node({ uid: 2 ** 32 }),
    node({ size: 2 ** 53 }),
    node({ mtime: 'x' }),
    node({ content: ['ab'] }),
    node({ content: [5] }),
    node({ content: 'x' }),
    node({ subtree: 'x' }),
    node({ extended_attributes: 'x' }),
    node({ x: '\ud800' }).replace('"x":', `"x":${'['.repeat(100)}`),
    '{"nodes":[{"name":"x","type":"file","inode":18446744073709551616}]}',
  ]) {
    assert.throws(() => parseTree(Buffer.from(json)), isDamage, json.slice(0, 80));
  }
});

test('damaged trees never do anything but fail', () => {
  for (const damaged of damagedCopies(treeOf(nodes), 600)) decodesOrRefuses(() => parseTree(damaged));
});

test('only a single path component is a plain name', () => {
  for (const name of ['a', '...', '.a', 'a b', '\xff', '..x']) assert.ok(isPlainName(Buffer.from(name, 'latin1')));
  for (const name of ['', '.', '..', '/', 'a/b', '../a', 'a\0']) assert.ok(!isPlainName(Buffer.from(name)));
});
