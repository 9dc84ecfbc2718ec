import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../../test/support/until.ts';
import { type FailureCode, isFailure } from '../../base/failure.ts';
import { manualClock } from '../../base/testing/manual-clock.ts';
import { removeLeftovers } from '../leftovers.ts';
import type { ObjectStore } from '../object-store.ts';
import { openStore } from '../open.ts';
import { objectStoreContract } from '../testing/contract.ts';
import { openLocalStore } from './local-store.ts';
import { claimByCreating } from './write-object.ts';

const ID = `ab${'0'.repeat(62)}`;
const places: string[] = [];

after(() => Promise.all(places.map((path) => rm(path, { recursive: true, force: true }))));

async function place(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-local-'));
  places.push(path);
  return path;
}

async function openPlace() {
  const path = await place();
  return { path, store: openLocalStore({ name: 'nas', path }) };
}

objectStoreContract('local', async () => ({ store: (await openPlace()).store }));
objectStoreContract('local as configured', async () => ({
  store: openStore({ type: 'local', name: 'nas', path: join(await place(), 'new') }, { create: true }),
  manyObjects: 20,
}));

function failure(code: FailureCode, text = /^nas: /) {
  return (error: unknown) => {
    assert.ok(isFailure(error, code), `expected ${code}, got ${error}`);
    assert.match(error.message, text);
    return true;
  };
}

async function modeOf(...path: string[]): Promise<string> {
  return ((await stat(join(...path))).mode & 0o777).toString(8);
}

async function keysOf(store: ObjectStore, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list(prefix)) keys.push(...page.map(({ key }) => key));
  return keys.sort();
}

test('directories and files are private, sealed objects read-only', async () => {
  const { path, store } = await openPlace();
  await store.put('config', Buffer.from('x'));
  await store.put(`data/ab/${ID}`, Buffer.from('x'));
  assert.equal(await modeOf(path, 'config'), '600');
  assert.equal(await modeOf(path, 'data/ab'), '700');
  assert.equal(await modeOf(path, 'data/ab', ID), '400');
});

test('a config that the group may read makes everything after it shared with the group', async () => {
  const { path, store } = await openPlace();
  await store.put('config', Buffer.from('x'));
  await chmod(join(path, 'config'), 0o640);
  const shared = openLocalStore({ name: 'nas', path });
  await shared.put('wal/1', Buffer.from('x'));
  await shared.put(`data/ab/${ID}`, Buffer.from('x'));
  assert.equal(await modeOf(path, 'wal'), '770');
  assert.equal(await modeOf(path, 'wal/1'), '660');
  assert.equal(await modeOf(path, 'data/ab', ID), '440');
});

test('only whole objects stand in the directory after puts, refused puts and aborted puts', async () => {
  const { path, store } = await openPlace();
  await store.put('index/a', Buffer.from('x'), { ifAbsent: true });
  await assert.rejects(store.put('index/a', Buffer.from('y'), { ifAbsent: true }), failure('object_exists'));
  const controller = new AbortController();
  const parts = Array.from({ length: 64 }, () => Buffer.alloc(1024 * 1024));
  const aborted = store.put('index/b', parts, { signal: controller.signal });
  setTimeout(() => controller.abort(new Error('enough')), 2);
  await aborted.then(
    () => rm(join(path, 'index/b')),
    (error: Error) => assert.equal(error.message, 'enough'),
  );
  await until(async () => (await readdir(join(path, 'index'))).length === 1);
});

test('what a crash or somebody else left there is not listed', async () => {
  const { path, store } = await openPlace();
  await store.put(`data/ab/${ID}`, Buffer.from('x'));
  await writeFile(join(path, 'data/ab', `${ID}-tmp-123456`), 'half');
  await writeFile(join(path, 'data/ab', 'with blank'), '');
  await mkdir(join(path, 'data/cd'));
  await symlink('/nowhere', join(path, 'data/dangling'));
  assert.deepEqual(await keysOf(store, 'data/'), [`data/ab/${ID}`]);
});

test('a directory where an object should be is no object', async () => {
  const { path, store } = await openPlace();
  await mkdir(join(path, 'config'));
  assert.equal(await store.stat('config'), undefined);
  await assert.rejects(store.get('config'), failure('data_damaged'));
  await assert.rejects(store.put('config', Buffer.from('x')), failure('storage_refused'));
});

test('a root that is not there is missing for every call, and is not made by the way', async () => {
  const path = join(await place(), 'not-mounted');
  const store = openLocalStore({ name: 'nas', path });
  const missing = failure('storage_missing', /^nas: the directory .*not-mounted does not exist/);
  await assert.rejects(store.put('config', Buffer.from('x')), missing);
  await assert.rejects(store.get('config'), missing);
  await assert.rejects(store.stat('config'), missing);
  await assert.rejects(store.delete('config'), missing);
  await assert.rejects(keysOf(store), missing);
  await assert.rejects(stat(path));
});

test('a root that is a file is refused', async () => {
  const path = join(await place(), 'file');
  await writeFile(path, '');
  await assert.rejects(
    openLocalStore({ name: 'nas', path }).get('config'),
    failure('storage_refused', /not a directory/),
  );
});

test('a share that is unmounted meanwhile is unreachable: nothing is missing, and nothing is written beside it', async () => {
  const { path, store } = await openPlace();
  await store.put('config', Buffer.from('x'));
  await rename(path, `${path}.gone`);
  places.push(`${path}.gone`);
  await mkdir(path);
  const gone = failure('storage_unreachable', /another directory now stands/);
  await assert.rejects(store.get('config'), gone);
  await assert.rejects(store.stat('index/x'), gone);
  await assert.rejects(store.put(`data/ab/${ID}`, Buffer.from('x')), gone);
  await assert.rejects(keysOf(store, 'data/'), gone);
  assert.deepEqual(await readdir(path), []);

  await rm(path, { recursive: true });
  await rename(`${path}.gone`, path);
  assert.equal((await store.get('config')).byteLength, 1);
});

test('a share that was mounted again elsewhere is taken up again', async () => {
  const { path, store } = await openPlace();
  await store.put('config', Buffer.from('x'));
  await rename(path, `${path}.gone`);
  places.push(`${path}.gone`);
  await mkdir(path);
  await writeFile(join(path, 'config'), 'yy');
  assert.equal(await store.stat('index/x'), undefined);
  await store.put('index/x', Buffer.from('x'));
});

test('without hard links creation is still decided once', async () => {
  const path = await place();
  const claims = Array.from({ length: 8 }, async (_, index) => {
    const temporary = join(path, `x-tmp-${index}`);
    await writeFile(temporary, String(index));
    await claimByCreating(temporary, join(path, 'x'));
  });
  const outcomes = await Promise.allSettled(claims);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('leftovers older than a day are removed, younger ones and objects stay', async () => {
  const { path, store } = await openPlace();
  await store.put('index/a', Buffer.from('x'));
  const names = { old: 'index/a-tmp-01', restic: `index/${ID}-tmp-99`, young: 'index/a-tmp-02' };
  for (const name of Object.values(names)) await writeFile(join(path, name), 'half');
  const now = Date.UTC(2026, 4, 5);
  const at = (hours: number) => new Date(now - hours * 3_600_000);
  await utimes(join(path, names.old), at(25), at(25));
  await utimes(join(path, names.restic), at(240), at(240));
  await utimes(join(path, names.young), at(23), at(23));
  await utimes(join(path, 'index/a'), at(240), at(240));
  const removed = await removeLeftovers({ type: 'local', name: 'nas', path }, { clock: manualClock(now) });
  assert.equal(removed, 2);
  assert.deepEqual((await readdir(join(path, 'index'))).sort(), ['a', 'a-tmp-02']);
});

test('ranges of a file come from what is there now: after it was replaced, removed, or cut short', async () => {
  const { path, store } = await openPlace();
  const key = `data/ab/${ID}`;
  const range = { offset: 1, length: 3 };
  const read = async () => Buffer.from(await store.get(key, range)).toString();
  await store.put(key, Buffer.from('first'));
  assert.deepEqual(await Promise.all([read(), read()]), ['irs', 'irs']);
  await store.put(key, Buffer.from('second'));
  assert.equal(await read(), 'eco');
  await store.delete(key);
  await assert.rejects(read(), failure('object_missing'));
  await store.put(key, Buffer.from('third'));
  assert.equal(await read(), 'hir');
  await chmod(join(path, key), 0o600);
  await truncate(join(path, key), 2);
  await assert.rejects(read(), failure('data_damaged'));
});

test('files of which ranges were read are closed when nobody reads them for a moment, and when the storage is closed', async () => {
  const { path, store } = await openPlace();
  const openHere = async () => {
    const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
    return (await Promise.all(links)).filter((target) => target.startsWith(path)).length;
  };
  const keys = Array.from({ length: 30 }, (_, i) => `data/ab/${i.toString(16).padStart(64, '0')}`);
  for (const key of keys) await store.put(key, Buffer.from('content'));
  for (const key of keys) await Promise.all([0, 1, 2].map((offset) => store.get(key, { offset, length: 2 })));
  await until(async () => (await openHere()) === 0);
  await Promise.all(keys.map((key) => store.get(key, { offset: 0, length: 1 })));
  await store.close();
  await until(async () => (await openHere()) === 0);
});
