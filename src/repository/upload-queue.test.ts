/** The way of packs to one storage: taken, put off, refused; nothing waits for ever. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Failure } from '../base/failure.ts';
import { type Id, id } from '../base/ids.ts';
import { type ManualClock, manualClock } from '../base/testing/manual-clock.ts';
import { faultStore } from '../storage/testing/fault-store.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { copyDeferred } from './pack-copy.ts';
import { toReplicas } from './replicas.ts';
import { UploadQueue } from './upload-queue.ts';

const MIB = 1024 * 1024;

function pack(fill: number, size = 8 * MIB): { id: Id; bytes: Uint8Array } {
  const bytes = new Uint8Array(size).fill(fill);
  return { id: id(createHash('sha256').update(bytes).digest('hex')), bytes };
}

function setUp({ othersKeepUp = true } = {}) {
  const memory = memoryStore('slow');
  const store = faultStore(memory);
  const clock = manualClock();
  const interrupt = new AbortController();
  const [replica] = toReplicas([store]);
  const options = { clock, signal: interrupt.signal, othersKeepUp: () => othersKeepUp };
  return { memory, store, clock, interrupt, queue: new UploadQueue(replica!, options), options };
}

/** Hands over packs until there is no room for more. */
async function fill(queue: UploadQueue): Promise<void> {
  for (let n = 1; queue.hasRoom; n++) await queue.accept(pack(n).id, pack(n).bytes);
}

async function settle(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 500) await clock.advance(500);
}

test('a pack is accepted at once and stored', async () => {
  const { queue, memory } = setUp();
  const { id: name, bytes } = pack(1, 1000);
  const { settled } = await queue.accept(name, bytes);
  await settled;
  assert.ok(await queue.holds(name));
  assert.ok(queue.hasStored(name));
  assert.deepEqual([...memory.objects.keys()], [`data/${name.slice(0, 2)}/${name}`]);
  await queue.drained();
});

test('a storage that hangs costs its patience once; later packs are put off without waiting', async () => {
  const { queue, store, clock } = setUp();
  store.inject({ on: 'put', fault: { kind: 'hang' } });
  await fill(queue);
  const late = [pack(101), pack(102)];
  let accepted = false;
  const first = queue.accept(late[0]!.id, late[0]!.bytes).then(() => {
    accepted = true;
  });
  await settle(clock, 10_000);
  assert.equal(accepted, false, 'it has patience');
  await settle(clock, 10_000);
  await first;
  await queue.accept(late[1]!.id, late[1]!.bytes);
  assert.deepEqual(
    [...queue.deferred],
    late.map(({ id: name }) => name),
  );
  queue.fail(new Failure('interrupted', 'The run is over.'));
  await queue.drained();
});

test('a storage on which all others wait is waited for, however long', async () => {
  const { queue, store, clock } = setUp({ othersKeepUp: false });
  const rule = store.inject({ on: 'put', fault: { kind: 'hang' } });
  await fill(queue);
  let accepted = false;
  void queue.accept(pack(103).id, pack(103).bytes).then(() => {
    accepted = true;
  });
  await settle(clock, 60_000);
  assert.equal(accepted, false);
  rule.remove();
  queue.fail(new Failure('interrupted', 'The run is over.'));
  await setImmediate();
  assert.equal(accepted, true, 'failing lets go of who waits');
  await queue.drained();
  assert.equal(queue.deferred.size, 0);
});

test('a failure refuses all later packs at once and keeps its first reason', async () => {
  const { queue, store } = setUp();
  store.inject({ on: 'put', times: 1, fault: { kind: 'full', bytes: 0 } });
  for (const n of [1, 2]) await (await queue.accept(pack(n, 10).id, pack(n, 10).bytes)).settled;
  await queue.drained();
  queue.fail(new Failure('lock_lost', 'later'));
  assert.equal(queue.failure?.code, 'storage_full');
  assert.equal(await queue.holds(pack(1, 10).id), false);
  assert.equal(await queue.holds(pack(2, 10).id), false);
});

test('an interruption abandons what is under way and drains', async () => {
  const { queue, store, interrupt } = setUp();
  store.inject({ on: 'put', fault: { kind: 'hang' } });
  const { settled } = await queue.accept(pack(1, 10).id, pack(1, 10).bytes);
  interrupt.abort();
  await settled;
  await queue.drained();
  assert.equal(queue.failure?.code, 'interrupted');
});

test('a pack that was put off is fetched from a storage that has it, past one whose copy is bad', async () => {
  const { queue, memory, options } = setUp();
  const bad = faultStore(memoryStore('bad'));
  const [, first, second] = toReplicas([memory, bad, memoryStore('good')]);
  const others = [new UploadQueue(first!, options), new UploadQueue(second!, options)];
  const { id: name, bytes } = pack(7, 5000);
  for (const other of others) await (await other.accept(name, bytes)).settled;
  bad.inject({ on: 'get', fault: { kind: 'flipBit' } });
  queue.deferred.add(name);
  await copyDeferred(queue, [queue, ...others]);
  assert.deepEqual(Buffer.from([...memory.objects.values()][0]!), Buffer.from(bytes));
  assert.ok(queue.hasStored(name));
  assert.equal(queue.deferred.size, 0);
});

test('a pack that nobody has after all fails the storage that lacks it', async () => {
  const { queue, options } = setUp();
  const broken = faultStore(memoryStore('broken'));
  broken.inject({ on: 'put', fault: { kind: 'fail', code: 'storage_refused' } });
  const [, replica] = toReplicas([memoryStore('x'), broken]);
  const other = new UploadQueue(replica!, options);
  const { id: name, bytes } = pack(9, 100);
  await (await other.accept(name, bytes)).settled;
  queue.deferred.add(name);
  await assert.rejects(copyDeferred(queue, [queue, other]), { code: 'data_missing' });
});
