/** Trees built piece by piece by the sealing workers, and kept on this machine meanwhile. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { idFromBytes } from '../base/ids.ts';
import { encodeNode, TREE_PREFIX, TREE_SUFFIX, type TreeNode } from './format/tree.ts';
import { BlobIndex } from './index/blob-index.ts';
import { newClaims } from './index/claims.ts';
import { LocalTrees } from './local-trees.ts';
import { TreeBuilder } from './tree-builder.ts';
import { SealPool } from './workers/seal-pool.ts';

function node(n: number): TreeNode {
  const times = { mtimeNs: 1n, atimeNs: 1n, ctimeNs: 1n };
  const owner = { uid: 0, gid: 0, inode: BigInt(n), deviceId: 1n, links: 1 };
  return {
    name: Buffer.from(`file-${String(n).padStart(8, '0')}`),
    type: 'file',
    mode: 0o644,
    ...times,
    ...owner,
    size: 0,
    content: new Uint8Array(0),
  };
}

function newPool(): SealPool {
  return new SealPool({
    masterKey: { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) },
    chunkerSeed: randomBytes(32),
    index: new BlobIndex().freeze(),
    claims: newClaims(),
    needed: 1,
    settings: { packSize: 4 * 1024 * 1024, compression: 'auto' },
    workers: 2,
    onPack: async () => {},
  });
}

for (const [nodes, what] of [
  [0, 'an empty tree'],
  [3, 'a small tree'],
  [30_000, 'a tree of many megabytes, which goes to a worker in parts,'],
] as const) {
  test(`${what} has the id of its whole text, and is read back from this machine`, async () => {
    const pool = newPool();
    using local = new LocalTrees();
    try {
      const builder = new TreeBuilder(pool, local);
      const encoded = Array.from({ length: nodes }, (_, n) => Buffer.from(encodeNode(node(n))));
      for (const each of encoded) builder.add(each);
      const id = await builder.finish();
      const text = Buffer.concat([
        TREE_PREFIX,
        ...encoded.flatMap((each, i) => (i === 0 ? [each] : [Buffer.from(','), each])),
        TREE_SUFFIX,
      ]);
      assert.deepEqual(Buffer.from(id), createHash('sha256').update(text).digest());
      assert.ok(local.has(idFromBytes(id)));
      let count = 0;
      for await (const batch of local.streamTree(idFromBytes(id)))
        for (const read of batch) assert.deepEqual(read.name, node(count++).name);
      assert.equal(count, nodes);
    } finally {
      await pool.close();
    }
  });
}

test('two large trees built at the same time do not mix', async () => {
  const pool = newPool();
  try {
    const [one, two, again] = [new TreeBuilder(pool), new TreeBuilder(pool), new TreeBuilder(pool)];
    for (let n = 0; n < 20_000; n++) {
      one.add(encodeNode(node(n)));
      two.add(encodeNode(node(n + 1)));
      again.add(encodeNode(node(n)));
    }
    const ids = await Promise.all(
      [one, two, again].map(async (each) => Buffer.from(await each.finish()).toString('hex')),
    );
    assert.equal(ids[0], ids[2]);
    assert.notEqual(ids[0], ids[1]);
  } finally {
    await pool.close();
  }
});
