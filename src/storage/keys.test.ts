import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPrefix, isKey, isSealedName, isTemporaryName, MAX_KEY_LENGTH, temporaryName } from './keys.ts';

const ID = '0123456789abcdef'.repeat(4);

test('what a repository holds are keys', () => {
  for (const key of [
    'config',
    `data/01/${ID}`,
    `locks/${ID}`,
    'wal/000000010000000A000000FF',
    'meta/a.b_c-d',
    '...',
    'a/..b',
  ]) {
    assert.ok(isKey(key), key);
  }
});

test('what could leave the storage, or means nothing there, is no key', () => {
  const bad = ['', '/', 'a/', '/a', 'a//b', '.', '..', 'a/..', '../a', 'a/./b', 'a\\b', 'a:b', 'a\n', 'é', `a${'\0'}`];
  for (const key of [...bad, 'x'.repeat(MAX_KEY_LENGTH + 1), `${ID}-tmp-12ab`])
    assert.ok(!isKey(key), JSON.stringify(key));
});

test('temporary names are recognised, ours and those of restic, and never look sealed', () => {
  assert.ok(isTemporaryName(temporaryName(ID, 'c0ffee')));
  assert.ok(isTemporaryName(`${ID}-tmp-1234567890`));
  assert.ok(!isSealedName(temporaryName(ID, 'c0ffee')));
  assert.ok(isSealedName(`data/01/${ID}`));
  assert.ok(!isSealedName(`data/01/${ID}0`));
});

test('prefixes may be empty, end anywhere, and not climb', () => {
  for (const prefix of ['', 'd', 'data/', 'data/0', 'a.b/..c']) checkPrefix(prefix);
  for (const prefix of ['/', '../', 'a/../', '.', 'a//', 'a b']) assert.throws(() => checkPrefix(prefix), prefix);
});
