import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonObject } from './json-object.ts';

test('only an object is taken for one', () => {
  assert.deepEqual(parseJsonObject(' {"a": [1, null]} '), { a: [1, null] });
  for (const text of ['', '{', 'null', '[]', '1', '"{}"', '{"a": 1} {}'])
    assert.equal(parseJsonObject(text), undefined);
});
