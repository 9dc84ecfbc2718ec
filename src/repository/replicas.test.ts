/** Reading from the first storage that gives a good copy, and what is said when none does. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { type Fault, faultStore } from '../storage/testing/fault-store.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { inMask, maskOf, type ReadProblem, readFromAny, toReplicas } from './replicas.ts';

async function setUp(faults: readonly (Fault | undefined)[], without: readonly number[] = []) {
  const stores = faults.map((fault, i) => {
    const store = faultStore(memoryStore('abc'.charAt(i)));
    if (fault) store.inject({ on: 'get', fault });
    return store;
  });
  for (const [i, store] of stores.entries())
    if (!without.includes(i)) await store.put('snapshots/x', Buffer.from('good'));
  const problems: ReadProblem[] = [];
  const accept = (bytes: Uint8Array) => {
    if (Buffer.from(bytes).toString() === 'good') return 'good';
    throw new Failure('data_damaged', 'It is not good.');
  };
  const read = () =>
    readFromAny(toReplicas(stores), 'snapshots/x', undefined, accept, (problem) => problems.push(problem));
  return { read, problems };
}

test('a copy that is missing, unreachable or bad is passed over, and told by the name of its storage', async () => {
  const { read, problems } = await setUp([{ kind: 'fail' }, { kind: 'flipBit' }, undefined]);
  assert.equal(await read(), 'good');
  assert.deepEqual(
    problems.map(({ storage, key, failure }) => [storage, key, failure.code]),
    [
      ['a', 'snapshots/x', 'storage_unreachable'],
      ['b', 'snapshots/x', 'data_damaged'],
    ],
  );
});

test('when no copy is good every storage is named with its own error', async () => {
  const { read } = await setUp([{ kind: 'truncate', keep: 1 }, { kind: 'flipBit' }, undefined], [2]);
  await assert.rejects(read(), (error: Failure) => {
    assert.equal(error.code, 'data_damaged');
    assert.match(error.message, /snapshots\/x .*a: It is not good\.; b: It is not good\.; c: /);
    assert.match(error.hint!, /holdfast sync/);
    return true;
  });
});

test('missing everywhere is not damage, and damage is not certain while a storage is out of reach', async () => {
  await assert.rejects((await setUp([undefined, undefined], [0, 1])).read(), { code: 'data_missing' });
  await assert.rejects((await setUp([{ kind: 'flipBit' }, { kind: 'fail' }])).read(), { code: 'storage_unreachable' });
  await assert.rejects((await setUp([])).read(), { message: /no storage holds it/ });
});

test('storages are numbered, at most 31', () => {
  const replicas = toReplicas(Array.from({ length: 31 }, (_, i) => memoryStore(`s${i}`)));
  assert.equal(maskOf(replicas), 0x7fffffff);
  assert.deepEqual(
    inMask(replicas, 0b101).map(({ name }) => name),
    ['s0', 's2'],
  );
  assert.throws(() => toReplicas(Array.from({ length: 32 }, (_, i) => memoryStore(`s${i}`))), {
    code: 'config_invalid',
  });
});
