/** Trees compared as text: what is written as it would be written now is passed over unread. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { encodeNode, encodeNodeHead, TREE_PREFIX, TREE_SUFFIX } from './tree-encoder.ts';
import type { TreeNode } from './tree-node.ts';
import { TreeText } from './tree-text.ts';

function file(name: string, more: Partial<TreeNode> = {}): TreeNode {
  const times = { mtimeNs: 1_700_000_000_123_456_789n, atimeNs: 1_700_000_000_123_456_789n, ctimeNs: 2n };
  const owner = { uid: 0, gid: 0, user: 'root', group: 'root', inode: 7n, deviceId: 1n, links: 1 };
  const content = randomBytes(64);
  return { name: Buffer.from(name), type: 'file', mode: 0o644, ...times, ...owner, size: 5, content, ...more };
}

function treeOf(...nodes: readonly TreeNode[]): Buffer {
  const encoded = nodes.map((node) => encodeNode(node).toString()).join(',');
  return Buffer.concat([TREE_PREFIX, Buffer.from(encoded), TREE_SUFFIX]);
}

function open(bytes: Buffer): TreeText {
  const text = TreeText.of(bytes);
  assert.ok(text);
  return text;
}

test('files that are written as expected are passed over, with their blobs; all of them are the whole tree', () => {
  const xattrs = [{ name: 'user.a', value: Buffer.from('b') }];
  const nodes = [file('a'), file('b', { content: new Uint8Array(0) }), file('na\u00efve "\n'), file('x', { xattrs })];
  const bytes = treeOf(...nodes);
  const text = open(bytes);
  const stretches = nodes.map((node) => {
    assert.deepEqual(Buffer.from(text.fileWritten(encodeNodeHead(node)) ?? 'no'), Buffer.from(node.content ?? ''));
    const { start, end } = text.pass();
    assert.equal(bytes.toString('utf8', start, end), encodeNode(node).toString());
    return { start, end };
  });
  assert.ok(text.isAll(stretches[0]?.start ?? -1, stretches.at(-1)?.end ?? -1));
  assert.ok(!text.isAll(stretches[1]?.start ?? -1, stretches.at(-1)?.end ?? -1));
  assert.equal(text.next(), undefined);
});

test('what differs in anything is read instead, and nothing is passed over by looking', () => {
  const node = file('a');
  const differences: Partial<TreeNode>[] = [
    { name: Buffer.from('b') },
    { mode: 0o600 },
    { mtimeNs: 3n },
    { ctimeNs: 3n },
    { uid: 1 },
    { user: 'other' },
    { inode: 8n },
    { deviceId: 2n },
    { size: 6 },
    { links: 2 },
    { xattrs: [{ name: 'user.a', value: Buffer.from('b') }] },
  ];
  for (const difference of differences) {
    const text = open(treeOf(file('a', difference), file('z')));
    assert.equal(text.fileWritten(encodeNodeHead(node)), undefined, JSON.stringify(Object.keys(difference)));
    assert.equal(text.next()?.name.toString(), difference.name?.toString() ?? 'a');
    assert.equal(text.next()?.name.toString(), 'z');
    assert.equal(text.next(), undefined);
  }
});

test('a node with more than a list of blobs after its head, a tree of other programs and the end are not taken for a file', () => {
  const node = file('a');
  const withError = open(treeOf({ ...node, error: 'was not read' }));
  assert.equal(withError.fileWritten(encodeNodeHead(node)), undefined);
  const spaced = Buffer.from(treeOf(node, node).toString().replace('},{', '}, {'));
  const text = open(spaced);
  assert.ok(text.fileWritten(encodeNodeHead(node)));
  text.pass();
  assert.equal(text.fileWritten(encodeNodeHead(node)), undefined);
  assert.equal(text.next()?.name.toString(), 'a');
  assert.equal(text.fileWritten(encodeNodeHead(node)), undefined);
  assert.equal(TreeText.of(Buffer.from('{"other":1,"nodes":[]}\n')), undefined);
  assert.equal(open(treeOf()).next(), undefined);
  assert.equal(open(treeOf()).fileWritten(encodeNodeHead(node)), undefined);
});

test('a list of blobs too long to be compared is read', () => {
  const node = file('a', { content: randomBytes(32 * 1025) });
  const text = open(treeOf(node));
  assert.equal(text.fileWritten(encodeNodeHead(node)), undefined);
  assert.deepEqual(Buffer.from(text.next()?.content ?? ''), node.content);
});
