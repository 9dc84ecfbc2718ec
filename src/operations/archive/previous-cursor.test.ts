/** Walking an earlier tree beside the current names. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import type { TreeNode } from '../../repository/trees.ts';
import { syntheticMeta, toNode } from './nodes.ts';
import { PreviousCursor } from './previous-cursor.ts';

const node = (name: string): TreeNode => toNode(Buffer.from(name), syntheticMeta(0, 0o644), { type: 'file' });

async function* batches(...names: readonly string[][]): AsyncGenerator<readonly TreeNode[]> {
  for (const batch of names) yield batch.map(node);
}

async function seekAll(cursor: PreviousCursor, names: readonly string[]): Promise<(string | undefined)[]> {
  const found: (string | undefined)[] = [];
  for (const name of names) found.push((await cursor.seek(Buffer.from(name)))?.name.toString());
  return found;
}

test('names are found over batches, new names are not, and what was passed over is told', async () => {
  const skipped: string[] = [];
  const options = { onSkipped: ({ name }: TreeNode) => void skipped.push(name.toString()) };
  const cursor = new PreviousCursor(batches(['a', 'b'], [], ['d', 'e'], ['g']), options);
  assert.deepEqual(await seekAll(cursor, ['b', 'c', 'd', 'f']), ['b', undefined, 'd', undefined]);
  await cursor.finish();
  assert.deepEqual(skipped, ['a', 'e', 'g']);
  assert.equal(await cursor.seek(Buffer.from('z')), undefined);
});

test('names are compared as bytes', async () => {
  const cursor = new PreviousCursor(batches(['A', 'a', '\u00e9']));
  assert.deepEqual(await seekAll(cursor, ['A', 'a', '\u00e9']), ['A', 'a', '\u00e9']);
});

async function* broken(): AsyncGenerator<readonly TreeNode[]> {
  yield [node('a')];
  throw new Failure('data_missing', 'gone');
}

test('a tree that cannot be read further ends there where that is tolerable, and fails where it is not', async () => {
  assert.deepEqual(await seekAll(new PreviousCursor(broken(), { tolerant: true }), ['a', 'b', 'c']), [
    'a',
    undefined,
    undefined,
  ]);
  await assert.rejects(seekAll(new PreviousCursor(broken()), ['a', 'b']), { code: 'data_missing' });
});

test('leaving stops the reading', async () => {
  let isStopped = false;
  async function* watched(): AsyncGenerator<readonly TreeNode[]> {
    try {
      yield [node('a')];
      yield [node('b')];
    } finally {
      isStopped = true;
    }
  }
  const cursor = new PreviousCursor(watched());
  await cursor.seek(Buffer.from('a'));
  await cursor.leave();
  assert.ok(isStopped);
  assert.equal(await cursor.seek(Buffer.from('b')), undefined);
});
