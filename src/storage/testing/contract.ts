/**
 * What every storage must do: the one suite that each driver and each wrapper passes. `open` makes a store over an empty place of its
 * own; it is called once for the suite.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { type FailureCode, isFailure } from '../../base/failure.ts';
import type { ObjectInfo, ObjectStore } from '../object-store.ts';

export interface ContractSubject {
  readonly store: ObjectStore;
  /** Whether `ifAbsent` decides atomically between writers at the same moment. Default true. */
  readonly conditionalCreate?: boolean;
  /** Objects that the paging test puts; lower it where every put is slow and paging is tested elsewhere. Default 1100. */
  readonly manyObjects?: number;
  /** Removes the place after the suite; the store itself is closed by the suite. */
  readonly clean?: () => Promise<void>;
}

export interface ContractOptions {
  /** The reason why the suite cannot run here, or false. */
  readonly skip?: string | false;
}

/** Declares the suite for one kind of store. */
export function objectStoreContract(name: string, open: () => Promise<ContractSubject>, options: ContractOptions = {}) {
  describe(`object store contract: ${name}`, { skip: options.skip ?? false }, () => {
    let subject: ContractSubject;
    before(async () => {
      subject = await open();
    });
    after(async () => {
      await subject?.store.close();
      await subject?.clean?.();
    });
    const store = () => subject.store;
    describe('writing', () => writing(store));
    describe('reading', () => reading(store));
    describe('listing', () => listing(store, () => subject.manyObjects ?? 1100));
    describe('removing', () => removing(store));
    describe('creating only what is absent', () => creating(() => subject));
    describe('refusing', () => refusing(store));
  });
}

function writing(store: () => ObjectStore): void {
  test('an object comes back as it was put', async () => {
    const bytes = noise(300_000);
    await store().put('snapshots/whole', bytes);
    assert.ok(bytes.equals(await store().get('snapshots/whole')));
  });

  test('parts are stored joined, empty ones included', async () => {
    const parts = [noise(10), new Uint8Array(0), noise(70_000), noise(1)];
    await store().put('index/joined', parts);
    assert.ok(Buffer.concat(parts).equals(await store().get('index/joined')));
  });

  test('two thousand small parts are stored joined', async () => {
    const parts = Array.from({ length: 2000 }, (_, index) => Buffer.from(`${index};`));
    await store().put('index/crumbs', parts);
    assert.ok(Buffer.concat(parts).equals(await store().get('index/crumbs')));
  });

  test('an empty object is an object', async () => {
    await store().put('locks/empty', []);
    assert.equal((await store().get('locks/empty')).byteLength, 0);
    assert.deepEqual(await store().stat('locks/empty'), { key: 'locks/empty', size: 0 });
  });

  test('a second put replaces the first, shorter or longer', async () => {
    for (const size of [500, 20, 90_000]) {
      const bytes = noise(size);
      await store().put('config', bytes);
      assert.ok(bytes.equals(await store().get('config')));
    }
  });

  test('an object named by its hash can be replaced and removed too', async () => {
    const key = `data/ab/ab${'0'.repeat(62)}`;
    await store().put(key, noise(10));
    await store().put(key, Buffer.from('again'));
    assert.equal(Buffer.from(await store().get(key)).toString(), 'again');
    await store().delete(key);
    assert.equal(await store().stat(key), undefined);
  });

  test('the caller may change its bytes once put has resolved', async () => {
    const bytes = Buffer.from('before');
    await store().put('keys/mine', bytes);
    bytes.fill(0);
    assert.equal(Buffer.from(await store().get('keys/mine')).toString(), 'before');
  });

  test('writers of different objects do not disturb each other', async () => {
    const objects = Array.from({ length: 24 }, (_, index) => ({
      key: `data/c${index % 10}/${index}`,
      bytes: noise(4000),
    }));
    await Promise.all(objects.map(({ key, bytes }) => store().put(key, bytes)));
    for (const { key, bytes } of objects) assert.ok(bytes.equals(await store().get(key)), key);
  });

  test('of several writers of one object one whole version remains', async () => {
    const versions = Array.from({ length: 6 }, () => noise(50_000));
    await Promise.all(versions.map((bytes) => store().put('index/contended', bytes)));
    const found = await store().get('index/contended');
    assert.ok(versions.some((bytes) => bytes.equals(found)));
  });
}

function reading(store: () => ObjectStore): void {
  const bytes = noise(10_000);
  before(() => store().put('data/aa/ranges', bytes));

  for (const [offset, length] of [
    [0, 1],
    [0, 10_000],
    [9_999, 1],
    [1_234, 5_678],
    [10, 0],
    [10_000, 0],
  ] as const) {
    test(`a range of ${length} bytes at ${offset} is those bytes`, async () => {
      const found = await store().get('data/aa/ranges', { offset, length });
      assert.ok(bytes.subarray(offset, offset + length).equals(found));
    });
  }

  for (const [offset, length] of [
    [9_999, 2],
    [10_000, 1],
    [50_000, 10],
    [50_000, 0],
  ] as const) {
    test(`a range of ${length} bytes at ${offset} reaches beyond the object and is damage`, async () => {
      await assert.rejects(store().get('data/aa/ranges', { offset, length }), failure('data_damaged'));
    });
  }

  test('the reader owns what it gets', async () => {
    const first = await store().get('data/aa/ranges', { offset: 0, length: 100 });
    first.fill(0);
    assert.ok(bytes.subarray(0, 100).equals(await store().get('data/aa/ranges', { offset: 0, length: 100 })));
  });

  test('stat tells key and size', async () => {
    assert.deepEqual(await store().stat('data/aa/ranges'), { key: 'data/aa/ranges', size: 10_000 });
  });

  test('what is not there is missing for get, whole or in part, and undefined for stat', async () => {
    await assert.rejects(store().get('snapshots/never'), failure('object_missing'));
    await assert.rejects(store().get('snapshots/never', { offset: 0, length: 5 }), failure('object_missing'));
    assert.equal(await store().stat('snapshots/never'), undefined);
    assert.equal(await store().stat('no/such/directory'), undefined);
  });
}

function listing(store: () => ObjectStore, many: () => number): void {
  const sizes = new Map([
    ['wal/1/a', 1],
    ['wal/1/b', 2],
    ['wal/10/c', 3],
    ['wal/2/deep/er/d', 4],
    ['walnut', 5],
  ]);
  before(async () => {
    for (const [key, size] of sizes) await store().put(key, noise(size));
  });

  const expected = (prefix: string) => [...sizes].filter(([key]) => key.startsWith(prefix)).sort();
  for (const prefix of ['wal', 'wal/', 'wal/1', 'wal/1/', 'wal/10/c', 'wal/2/deep/er/d', 'wal/3', 'wal/3/']) {
    test(`listing "${prefix}" shows what begins so, with sizes`, async () => {
      const found = (await everything(store(), prefix)).map(({ key, size }) => [key, size]);
      assert.deepEqual(found.sort(), expected(prefix));
    });
  }

  test('the empty prefix shows everything once', async () => {
    const keys = (await everything(store(), '')).map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length);
    for (const key of sizes.keys()) assert.ok(keys.includes(key), key);
  });

  test('more than a page comes in pages of at most a thousand, nothing left out or doubled', async () => {
    const keys = Array.from({ length: many() }, (_, index) => `many/${index}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store().put(key, Buffer.from('x'))));
    }
    const found: string[] = [];
    for await (const page of store().list('many/')) {
      assert.ok(page.length <= 1000);
      found.push(...page.map(({ key }) => key));
    }
    assert.deepEqual(found.sort(), keys.sort());
  });

  test('a reader may stop after the first page', async () => {
    for await (const page of store().list('many/')) {
      assert.ok(page.length > 0);
      break;
    }
    assert.equal((await store().stat('many/0'))?.size, 1);
  });
}

function removing(store: () => ObjectStore): void {
  test('a removed object is gone for get, stat and list', async () => {
    await store().put('index/gone', noise(10));
    await store().delete('index/gone');
    await assert.rejects(store().get('index/gone'), failure('object_missing'));
    assert.equal(await store().stat('index/gone'), undefined);
    assert.deepEqual(await everything(store(), 'index/gone'), []);
  });

  test('removing what is not there is no error', async () => {
    await store().delete('index/never');
    await store().delete('no/such/directory');
  });

  test('removing one object leaves its neighbours', async () => {
    await store().put('probe/x', noise(1));
    await store().put('probe/xy', noise(1));
    await store().delete('probe/x');
    assert.deepEqual(await everything(store(), 'probe/x'), [{ key: 'probe/xy', size: 1 }]);
  });
}

function creating(subject: () => ContractSubject): void {
  test('creating twice is refused and leaves the first', async () => {
    const { store } = subject();
    await store.put('keys/once', Buffer.from('first'), { ifAbsent: true });
    await assert.rejects(store.put('keys/once', Buffer.from('second'), { ifAbsent: true }), failure('object_exists'));
    assert.equal(Buffer.from(await store.get('keys/once')).toString(), 'first');
  });

  test('what was removed can be created again', async () => {
    const { store } = subject();
    await store.put('keys/again', Buffer.from('first'), { ifAbsent: true });
    await store.delete('keys/again');
    await store.put('keys/again', Buffer.from('second'), { ifAbsent: true });
    assert.equal(Buffer.from(await store.get('keys/again')).toString(), 'second');
  });

  test('of creators at the same moment exactly one succeeds, where that is promised', async (context) => {
    const { store, conditionalCreate = true } = subject();
    if (!conditionalCreate) return context.skip('this storage does not promise it');
    const versions = Array.from({ length: 8 }, () => noise(1000));
    const outcomes = await Promise.allSettled(
      versions.map((bytes) => store.put('keys/race', bytes, { ifAbsent: true })),
    );
    const winners = versions.filter((_, index) => outcomes[index]?.status === 'fulfilled');
    assert.equal(winners.length, 1);
    assert.ok(winners[0]?.equals(await store.get('keys/race')));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.ok(isFailure(outcome.reason, 'object_exists'), String(outcome.reason));
    }
  });
}

function refusing(store: () => ObjectStore): void {
  const hostile = [
    '',
    '/',
    '/etc/passwd',
    '../outside',
    'data/../../outside',
    'data//x',
    'data/',
    '.',
    'a/./b',
    'a b',
    'ä',
    'a\0b',
  ];
  for (const key of [...hostile, 'config-tmp-0123ab', 'x'.repeat(2000)]) {
    test(`the key ${JSON.stringify(key.slice(0, 40))} is refused everywhere`, async () => {
      await assert.rejects(store().put(key, noise(1)), failure('internal'));
      await assert.rejects(store().get(key), failure('internal'));
      await assert.rejects(store().stat(key), failure('internal'));
      await assert.rejects(store().delete(key), failure('internal'));
      await assert.rejects(store().retain(key, 0), failure('internal'));
    });
  }

  for (const prefix of ['../', '/', 'a//', './', '..']) {
    test(`the prefix ${JSON.stringify(prefix)} is refused`, async () => {
      await assert.rejects(everything(store(), prefix), failure('internal'));
    });
  }

  test('a call whose signal has fired does nothing and rejects with the reason', async () => {
    const reason = new Error('enough');
    const signal = AbortSignal.abort(reason);
    const isReason = (error: unknown) => error === reason;
    await assert.rejects(store().put('index/aborted', noise(10), { signal }), isReason);
    await assert.rejects(store().get('config', undefined, { signal }), isReason);
    await assert.rejects(store().stat('config', { signal }), isReason);
    await assert.rejects(store().delete('config', { signal }), isReason);
    await assert.rejects(everything(store(), '', signal), isReason);
    assert.equal(await store().stat('index/aborted'), undefined);
  });

  test('errors name the storage', async () => {
    await assert.rejects(store().get('snapshots/nowhere'), (error: Error) =>
      error.message.startsWith(`${store().name}: `),
    );
  });
}

async function everything(store: ObjectStore, prefix: string, signal?: AbortSignal): Promise<ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const page of store.list(prefix, { signal })) found.push(...page);
  return found;
}

/** A check for `assert.rejects`: a Failure of this code. */
function failure(code: FailureCode) {
  return (error: unknown) => {
    assert.ok(isFailure(error, code), `expected ${code}, got ${error}`);
    return true;
  };
}

let noiseCounter = 0;

/** Bytes that compress badly and never repeat, the same in every run. */
function noise(size: number): Buffer {
  const seed = String(noiseCounter++);
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, index) => hash(`${seed}/${index}`));
  return Buffer.concat(blocks).subarray(0, size);
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
