/** Creating a repository and changing its password, ended at every moment there is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addKeyFile, removeKeyFile, replaceKeyFile } from '../../src/repository/key-files.ts';
import { memoryStore } from '../../src/storage/testing/memory-store.ts';
import { init, open, PASSWORD } from '../support/care.ts';
import { atEveryMoment, copies, DEAD, dyingStores } from '../support/dying.ts';
import { judgeMemory } from '../support/judge.ts';

const three = () => ['a', 'b', 'c'].map((name) => memoryStore(name));
const keysOf = (store: ReturnType<typeof memoryStore>) =>
  [...store.objects.keys()].filter((key) => key.startsWith('keys/'));

test('init ended at any moment is completed by the next one: one repository, one key file', async () => {
  const moments = await atEveryMoment(async (changes, lastHappens) => {
    const stores = three();
    const dying = dyingStores(stores, changes, lastHappens);
    await init(dying.stores).catch(() => {});
    const { storages } = await init(stores);
    assert.ok([...storages.values()].every(({ state }) => state !== 'failed'));
    assert.equal((await open(stores)).replicas.length, 3);
    for (const store of stores) assert.equal(keysOf(store).length, 1);
    assert.deepEqual(stores[1]!.objects.get('config'), stores[0]!.objects.get('config'));
    if (changes % 4 === 1) await judgeMemory(stores[changes % 3]!);
    return dying.died();
  });
  assert.ok(moments >= 6);
});

test('init ended at any moment, begun again with another password: that password opens it', async () => {
  await atEveryMoment(async (changes, lastHappens) => {
    const stores = [memoryStore('a')];
    const dying = dyingStores(stores, changes, lastHappens);
    await init(dying.stores, 'the first').catch(() => {});
    if (!dying.died() || stores[0]!.objects.has('config')) return false;
    await init(stores, 'the second');
    await open(stores, 'the second');
    await assert.rejects(open(stores, 'the first'), { code: 'wrong_password' });
    return true;
  });
});

test('a change of the password ended at any moment leaves a password that opens every storage', async () => {
  const stores = three();
  await init(stores);
  const moments = await atEveryMoment(async (changes, lastHappens) => {
    const own = copies(stores);
    const dying = dyingStores(own, changes, lastHappens);
    const repository = await open(dying.stores, PASSWORD, DEAD);
    const done = await replaceKeyFile(repository, 'a new one').then(
      () => true,
      () => false,
    );
    for (const store of own) {
      const opens = await Promise.all(
        [PASSWORD, 'a new one'].map((each) =>
          open([store], each).then(
            () => 1,
            () => 0,
          ),
        ),
      );
      assert.ok(opens.includes(1), `${store.name} opens`);
      if (done) assert.deepEqual(opens, [0, 1]);
    }
    return dying.died();
  }, 2);
  assert.ok(moments >= 6);
});

test('removing a key ended at any moment leaves the other', async () => {
  const stores = three();
  await init(stores);
  const extra = await addKeyFile(await open(stores), 'another');
  await atEveryMoment(async (changes, lastHappens) => {
    const own = copies(stores);
    const dying = dyingStores(own, changes, lastHappens);
    await removeKeyFile(await open(dying.stores, PASSWORD, DEAD), extra).catch(() => {});
    for (const store of own) await open([store]);
    return dying.died();
  });
});
