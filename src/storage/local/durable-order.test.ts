/**
 * What a storage in a directory asks of the operating system, and in which order: after a power cut an object is whole or not there, and
 * what was acknowledged is there. Nothing that a test can read afterwards tells that, so the calls themselves are recorded; they happen.
 */
import assert from 'node:assert/strict';
import { fstatSync, readlinkSync } from 'node:fs';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, mock, test } from 'node:test';
import type { ObjectStore } from '../object-store.ts';
import { openLocalStore } from './local-store.ts';

const ID = `ab${'0'.repeat(62)}`;

let root: string;
let store: ObjectStore;
const calls: string[] = [];

before(async () => {
  await recordCalls();
  root = await fs.realpath(await fs.mkdtemp(join(tmpdir(), 'holdfast-order-')));
  store = openLocalStore({ name: 'nas', path: root });
});
beforeEach(() => calls.splice(0));
after(async () => {
  mock.restoreAll();
  syncBuiltinESMExports();
  await fs.rm(root, { recursive: true });
});

/** Calls that change names are recorded with both of them; those on an open file with its path and its mode at that moment. */
async function recordCalls(): Promise<void> {
  const file = await fs.open('/dev/null');
  const handles = Object.getPrototypeOf(file) as FileHandle;
  await file.close();
  for (const name of ['writev', 'sync'] as const) {
    const real = handles[name] as (...values: unknown[]) => Promise<unknown>;
    mock.method(handles, name, function (this: FileHandle, ...values: unknown[]) {
      calls.push(`${name} ${short(readlinkSync(`/proc/self/fd/${this.fd}`))} ${modeOf(this)}`);
      return real.apply(this, values);
    } as never);
  }
  for (const name of ['mkdir', 'rename', 'link', 'unlink'] as const) {
    const real = fs[name] as (...values: unknown[]) => Promise<unknown>;
    mock.method(fs, name, ((...values: unknown[]) => {
      calls.push([name, ...values.filter((value) => typeof value === 'string').map(short)].join(' '));
      return real(...values);
    }) as never);
  }
  syncBuiltinESMExports();
}

/** Relative to the storage, without the random part of a temporary name. */
function short(path: string): string {
  return (
    path
      .replace(root, '')
      .replace(/^\//, '')
      .replace(ID, 'ID')
      .replace(/-tmp-[0-9a-f]+$/, '-tmp') || '.'
  );
}

function modeOf({ fd }: FileHandle): string {
  return (fstatSync(fd).mode & 0o777).toString(8);
}

test('the bytes are durable before the object has its name, and the name before the storage says so', async () => {
  await store.put('config', Buffer.from('x'));
  assert.deepEqual(calls, ['writev config-tmp 600', 'sync config-tmp 600', 'rename config-tmp config', 'sync . 700']);
});

test('an object that must not be there yet is durable in the same order', async () => {
  await store.put('config-2', Buffer.from('x'), { ifAbsent: true });
  assert.deepEqual(calls, [
    'writev config-2-tmp 600',
    'sync config-2-tmp 600',
    'link config-2-tmp config-2',
    'unlink config-2-tmp',
    'sync . 700',
  ]);
});

test('new directories are private and durable too, and a sealed object is read-only before it has its name', async () => {
  await store.put(`data/ab/${ID}`, Buffer.from('x'));
  assert.deepEqual(
    calls.filter((call) => !call.startsWith('mkdir')),
    [
      'sync . 700',
      'sync data 700',
      'writev data/ab/ID-tmp 600',
      'sync data/ab/ID-tmp 400',
      'rename data/ab/ID-tmp data/ab/ID',
      'sync data/ab 700',
    ],
  );
});

test('what is removed stays removed before the next step counts on it; a pack may come back', async () => {
  await store.put('index/a', Buffer.from('x'));
  calls.splice(0);
  await store.delete('index/a');
  await store.delete(`data/ab/${ID}`);
  assert.deepEqual(calls, ['unlink index/a', 'sync index 700', 'unlink data/ab/ID']);
});
