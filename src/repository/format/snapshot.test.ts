import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import { encodeSnapshot, parseSnapshot, type Snapshot } from './snapshot.ts';
import { damagedCopies, decodesOrRefuses } from './testing/hostile.ts';

const TREE = 'ab'.repeat(32) as Id;

const full: Snapshot = {
  time: '2026-03-04T05:06:07.123456789Z',
  parent: 'cd'.repeat(32) as Id,
  tree: TREE,
  paths: ['/clinic'],
  hostname: 'vm',
  username: 'root',
  uid: 5,
  gid: 6,
  excludes: ['*.tmp'],
  tags: ['holdfast', 'app=clinic'],
  original: 'ef'.repeat(32) as Id,
  program_version: 'holdfast 0.1.0',
  summary: {
    backup_start: '2026-03-04T05:06:07Z',
    backup_end: '2026-03-04T05:07:07Z',
    files_new: 1,
    files_changed: 2,
    files_unmodified: 3,
    dirs_new: 4,
    dirs_changed: 5,
    dirs_unmodified: 6,
    data_blobs: 7,
    tree_blobs: 8,
    data_added: 9,
    data_added_packed: 10,
    total_files_processed: 11,
    total_bytes_processed: 12,
  },
};

function isDamage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'data_damaged';
}

test('a snapshot comes back as it was written', () => {
  assert.deepEqual(parseSnapshot(encodeSnapshot(full)), full);
  const least: Snapshot = { time: '2026-03-04T05:06:07+01:00', tree: TREE, paths: [] };
  assert.deepEqual(parseSnapshot(Buffer.from(encodeSnapshot(least))), least);
});

test('members stand in the format’s order and empty ones are left out', () => {
  const json = encodeSnapshot({
    paths: ['/a'],
    uid: 0,
    tags: [],
    hostname: '',
    tree: TREE,
    time: '2026-03-04T05:06:07Z',
  });
  assert.equal(json, `{"time":"2026-03-04T05:06:07Z","tree":"${TREE}","paths":["/a"]}`);
});

test('unknown members survive, with every digit of their numbers', () => {
  const json = `{"time":"2026-03-04T05:06:07Z","tree":"${TREE}","paths":null,"lsn":18446744073709551615,"x":{"y":[1.10,"z"]},"__proto__":{"a":1}}`;
  const snapshot = parseSnapshot(json);
  assert.deepEqual(snapshot.paths, []);
  assert.equal(encodeSnapshot(snapshot), json.replace('null', '[]'));
});

test('a summary that lacks some counters is kept but not trusted', () => {
  const json = `{"time":"2026-03-04T05:06:07Z","tree":"${TREE}","paths":[],"summary":{"files_new":5}}`;
  assert.equal(parseSnapshot(json).summary, undefined);
  assert.equal(encodeSnapshot(parseSnapshot(json)), json);
});

test('a snapshot without time or tree, or with members of the wrong form, is refused', () => {
  for (const change of [
    { tree: undefined },
    { tree: null },
    { tree: 'abc' },
    { time: undefined },
    { time: 'yesterday' },
    { time: 5 },
    { paths: '/a' },
    { paths: [5] },
    { tags: {} },
    { uid: -1 },
    { parent: '' },
    { hostname: 5 },
  ]) {
    assert.throws(() => parseSnapshot(JSON.stringify({ ...full, ...change })), isDamage, JSON.stringify(change));
  }
  for (const text of ['', 'null', '5', '[]', '{', '"x"']) assert.throws(() => parseSnapshot(text), isDamage);
});

test('damaged snapshots never do anything but fail', () => {
  for (const damaged of damagedCopies(Buffer.from(encodeSnapshot(full)), 500)) {
    decodesOrRefuses(() => parseSnapshot(damaged));
  }
});
