import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idFloor, isRecordId, newId } from './ids.ts';

const NOW = Date.UTC(2026, 10, 21);

test('ids sort by time, and within a millisecond in the order of their making', () => {
  const ids = [newId(NOW), newId(NOW), newId(NOW), newId(NOW + 1), newId(NOW + 60_000)];
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  assert.ok(ids.every(isRecordId));
});

test('the floor of a time parts the ids made before it from those made since', () => {
  assert.ok(newId(NOW - 1) < idFloor(NOW));
  assert.ok(idFloor(NOW) < newId(NOW));
});

test('what is no id of a record is told from one', () => {
  for (const text of ['', 'x', newId(NOW).toUpperCase(), `${newId(NOW)}0`, newId(NOW).replace(/.$/, 'u')]) {
    assert.ok(!isRecordId(text), text);
  }
});
