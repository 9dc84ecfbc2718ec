import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { faultStore } from '../storage/testing/fault-store.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { initRepositories } from './init.ts';
import type { Holder } from './locks.ts';
import { openRepository } from './repository.ts';
import { listSnapshots } from './snapshots.ts';

const holder: Holder = { hostname: 'h', username: 'u', pid: 1, system: 's', isAlive: () => true };
const settings = { clock: systemClock, holder };
const scrypt = { N: 1024, r: 8, p: 1 };

async function two() {
  const [a, b] = [memoryStore('a'), memoryStore('b')];
  await initRepositories([a, b], 'pw', { ...settings, scrypt });
  return { a, b };
}

test('a storage that gives its config but cannot be listed is lost by name, and the others serve', async () => {
  const { a, b } = await two();
  const broken = faultStore(b);
  broken.inject({ on: 'list', fault: { kind: 'fail', code: 'storage_refused' } });
  const repository = await openRepository([a, broken], 'pw', settings);
  assert.deepEqual(
    repository.replicas.map(({ name }) => name),
    ['a'],
  );
  assert.deepEqual(
    repository.lost.map((lost) => [lost.name, lost.failure.code]),
    [['b', 'storage_refused']],
  );
  assert.deepEqual((await listSnapshots(repository)).snapshots, []);
});

test('a wrong password is told as such, an empty storage as having no repository', async () => {
  const { a, b } = await two();
  await assert.rejects(openRepository([a, b], 'wrong', settings), { code: 'wrong_password' });
  await assert.rejects(openRepository([memoryStore('empty')], 'pw', settings), { code: 'repository_missing' });
});

test('a storage that holds another repository is lost as foreign and left alone', async () => {
  const { a } = await two();
  const { b: foreign } = await two();
  const before = [...foreign.objects.keys()];
  const repository = await openRepository([a, foreign], 'pw', settings);
  assert.deepEqual(
    repository.lost.map(({ failure }) => failure.code),
    ['repository_foreign'],
  );
  assert.deepEqual([...foreign.objects.keys()], before);
});
