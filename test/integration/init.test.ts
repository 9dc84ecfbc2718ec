/** Creating repositories: the same keys everywhere, completed when interrupted, never over somebody else's. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { initRepositories } from '../../src/repository/init.ts';
import { faultStore } from '../../src/storage/testing/fault-store.ts';
import { memoryStore } from '../../src/storage/testing/memory-store.ts';
import { CHEAP, holder, init, localStores, open, PASSWORD } from '../support/care.ts';
import { holdfastHere } from '../support/here.ts';
import { holdfast, writeConfig } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { tempDir } from '../support/temp.ts';

const restic = await need('restic');
const states = (result: Awaited<ReturnType<typeof init>>) => [...result.storages.values()].map(({ state }) => state);

test('every storage gets the same config and key file, byte for byte', async () => {
  await using dir = await tempDir();
  const result = await init(localStores(dir));
  assert.deepEqual(states(result), ['created', 'created', 'created']);
  const files = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => [
      (await readFile(dir.join(name, 'config'))).toString('hex'),
      await readdir(dir.join(name, 'keys')),
      (await readFile(dir.join(name, 'keys', result.keyId))).toString(),
    ]),
  );
  assert.deepEqual(files[1], files[0]);
  assert.deepEqual(files[2], files[0]);
});

test('a second init changes nothing', async () => {
  await using dir = await tempDir();
  const first = await init(localStores(dir));
  const second = await init(localStores(dir));
  assert.deepEqual(states(second), ['existing', 'existing', 'existing']);
  assert.equal(second.repositoryId, first.repositoryId);
  assert.equal(second.keyId, first.keyId);
});

test('restic opens and checks a new repository on every storage', { skip: restic.skip }, async () => {
  await using dir = await tempDir();
  await init(localStores(dir, 2));
  for (const name of ['a', 'b']) {
    const repository = new Restic(dir.join(name), PASSWORD);
    assert.deepEqual(await repository.snapshots(), []);
    await repository.check();
  }
});

test('a storage that lacks config or keys is completed from the others', async () => {
  await using dir = await tempDir();
  await init(localStores(dir));
  await rm(dir.join('b', 'config'));
  await rm(dir.join('c'), { recursive: true });
  assert.deepEqual(states(await init(localStores(dir))), ['existing', 'completed', 'completed']);
  assert.equal((await open(localStores(dir))).replicas.length, 3);
});

test('the key file that an interrupted init left is used', async () => {
  await using dir = await tempDir();
  const { keyId } = await init(localStores(dir, 1));
  await rm(dir.join('a', 'config'));
  const again = await init(localStores(dir, 2));
  assert.equal(again.keyId, keyId);
  assert.deepEqual(states(again), ['created', 'created']);
});

test('a key file left by an interrupted init with another password does not stay', async () => {
  await using dir = await tempDir();
  await init(localStores(dir, 1), 'another password');
  await rm(dir.join('a', 'config'));
  const { keyId } = await init(localStores(dir, 1));
  assert.deepEqual(await readdir(dir.join('a', 'keys')), [keyId]);
});

test('another repository is refused by name and left alone, the rest is created', async () => {
  await using dir = await tempDir();
  const [, foreign] = localStores(dir);
  await init([foreign!], 'somebody else');
  const before = await readFile(dir.join('b', 'config'));
  await init([localStores(dir)[0]!]);
  const result = await init(localStores(dir));
  assert.deepEqual(states(result), ['existing', 'failed', 'completed']);
  const outcome = result.storages.get('b');
  assert.equal(outcome?.state === 'failed' && outcome.failure.code, 'repository_foreign');
  assert.deepEqual(await readFile(dir.join('b', 'config')), before);
});

test('a wrong password is said so', async () => {
  const store = memoryStore();
  await init([store]);
  await assert.rejects(init([store], 'not it'), { code: 'wrong_password' });
  await assert.rejects(open([store], 'not it'), { code: 'wrong_password' });
});

test('backups without config and known keys are never covered by a new repository', async () => {
  await using dir = await tempDir();
  await init(localStores(dir, 1));
  await writeFile(dir.join('a', 'marker'), '');
  const store = localStores(dir, 1)[0]!;
  await store.put(`snapshots/${'ab'.repeat(32)}`, Buffer.from('a snapshot'));
  await rm(dir.join('a', 'config'));
  await rm(dir.join('a', 'keys'), { recursive: true });
  await assert.rejects(init([store]), { code: 'repository_damaged' });
});

test('a damaged key file or config on the first storage does not keep the repository from opening', async () => {
  await using dir = await tempDir();
  const { keyId } = await init(localStores(dir));
  const [first, second] = localStores(dir);
  await first!.put(`keys/${keyId}`, Buffer.from('{"damaged":true}'));
  await second!.put('config', Buffer.alloc(100));
  const repository = await open(localStores(dir));
  assert.deepEqual(
    repository.replicas.map(({ name }) => name),
    ['a', 'c'],
  );
});

test('two inits at once end with one repository', async () => {
  await using dir = await tempDir();
  const results = await Promise.all([init(localStores(dir)), init(localStores(dir))]);
  assert.equal(results[0].repositoryId, results[1].repositoryId);
  const repository = await open(localStores(dir));
  assert.equal(repository.replicas.length, 3);
  for (const name of ['a', 'b', 'c']) assert.equal((await readdir(dir.join(name, 'keys'))).length, 1);
});

test('a storage that cannot hold a repository is refused before it gets a config', async () => {
  const stores = [memoryStore('good'), memoryStore('bad')];
  const bad = faultStore(stores[1]!);
  bad.inject({ on: 'get', key: /^probe/, fault: { kind: 'flipBit' } });
  const result = await initRepositories([stores[0]!, bad], PASSWORD, {
    ...{ clock: systemClock, holder, scrypt: CHEAP },
    probe: { objectLocked: new Set() },
  });
  assert.deepEqual(states(result), ['created', 'failed']);
  const outcome = result.storages.get('bad');
  assert.equal(outcome?.state === 'failed' && outcome.failure.code, 'storage_misbehaves');
  assert.equal(stores[1]!.objects.has('config'), false);
});

test('what a storage does not guarantee and need not is told', async () => {
  const store = memoryStore('weak');
  const weak = { ...store, put: (key: string, parts: Uint8Array | readonly Uint8Array[]) => store.put(key, parts) };
  const result = await initRepositories([weak], PASSWORD, {
    ...{ clock: systemClock, holder, scrypt: CHEAP },
    probe: { objectLocked: new Set() },
  });
  const outcome = result.storages.get('weak');
  assert.deepEqual(outcome?.state === 'created' && outcome.missing?.map(({ name }) => name), ['conditionalCreate']);
});

test('a command before init ends with 10, whether the directories are missing or empty', async () => {
  await using dir = await tempDir();
  const storages = Object.fromEntries(['a', 'b'].map((name) => [name, { type: 'local', path: `./${name}` }]));
  const config = await writeConfig(dir.path, { repository: { password: 'x' }, storages, apps: {} });
  const look = () => holdfast(['key', 'list', '--json', '--config', config]);
  const missing = await look();
  assert.deepEqual([missing.code, missing.error?.error], [10, 'storage_missing']);
  assert.match(String(missing.error?.message), /a: .* b: /);
  for (const name of ['a', 'b']) await mkdir(dir.join(name));
  const empty = await look();
  assert.deepEqual([empty.code, empty.error?.error], [10, 'repository_missing']);
});

test('a place that takes nothing and a directory of something else are refused once and by name, and a kit of another repository stays', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('taken', 'data'), { recursive: true });
  await writeFile(dir.join('taken', 'my report.pdf'), '');
  await mkdir(dir.join('good', 'lost+found'), { recursive: true });
  await writeFile(dir.join('recovery-kit.txt'), 'RECOVERY KIT of another');
  const paths = { good: './good', nowhere: '/proc/holdfast/backups', taken: './taken' };
  const storages = Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, { type: 'local', path }]));
  const config = await writeConfig(dir.path, { repository: { password: 'x' }, storages, apps: {} });

  const { code, stderr, stdout } = await holdfastHere(['init', '--config', config]);
  assert.equal(code, 3, stderr);
  assert.match(stdout, /^good: created\.$/m);
  assert.equal(stderr.match(/Warning: nowhere: .* cannot be made/g)?.length, 1);
  assert.equal(stderr.match(/Warning: taken: .* holds files of something else \(my report\.pdf\)/g)?.length, 1);
  assert.equal(stderr.match(/Warning: /g)?.length, 2, stderr);
  assert.deepEqual((await readdir(dir.join('taken'))).sort(), ['data', 'my report.pdf']);
  assert.equal(await readFile(dir.join('recovery-kit.txt'), 'utf8'), 'RECOVERY KIT of another');
  const [beside] = (await readdir(dir.path)).filter((name) => /^recovery-kit-[0-9a-f]{8}\.txt$/.test(name));
  assert.match(stdout, new RegExp(`Recovery kit: .*${beside}\\.`));

  const again = await holdfastHere(['init', '--json', '--config', config]);
  const { storages: states, kit } = again.summary as { storages: Record<string, { error: string }>; kit: string[] };
  assert.deepEqual(
    [again.code, states.good, states.nowhere?.error, states.taken?.error],
    [3, 'existing', 'storage_refused', 'storage_not_empty'],
  );
  assert.deepEqual(kit, [dir.join(String(beside)), dir.join('recovery-kit.html')]);
  const over = await holdfastHere(['kit', '--output', dir.join('recovery-kit.txt'), '--json', '--config', config]);
  assert.deepEqual([over.code, over.error?.error], [1, 'target_exists']);
  const sync = await holdfastHere(['sync', '--storage', 'taken', '--json', '--config', config]);
  assert.deepEqual([sync.code, sync.error?.error], [1, 'storage_not_empty']);
});
