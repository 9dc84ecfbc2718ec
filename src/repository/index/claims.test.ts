/** Which thread stores a new blob. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Claims, newClaims } from './claims.ts';

const idOf = (n: number) => createHash('sha256').update(String(n)).digest();

test('an id is claimed once for data and once for trees', () => {
  const claims = new Claims(newClaims());
  assert.ok(claims.claim(false, idOf(1)));
  assert.ok(!claims.claim(false, idOf(1)));
  assert.ok(claims.claim(true, idOf(1)));
  assert.ok(!claims.claim(true, idOf(1)));
  assert.ok(claims.claim(false, idOf(2)));
});

test('claims hold when the first segment is full and further ones are in use', () => {
  const claims = new Claims(newClaims());
  const id = Buffer.alloc(32);
  const write = (n: number) => {
    id.writeUInt32LE(Math.imul(n, 0x9e3779b1) >>> 0, 0);
    id.writeUInt32LE(n, 4);
    return id;
  };
  for (let n = 0; n < 400_000; n++) assert.ok(claims.claim(false, write(n)));
  for (let n = 0; n < 400_000; n += 7) assert.ok(!claims.claim(false, write(n)));
});

test('of threads that want the same ids at the same time, exactly one gets each', async () => {
  const buffer = newClaims();
  const count = 20_000;
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    const { createHash } = require('node:crypto');
    import(workerData.module).then(({ Claims }) => {
      const claims = new Claims(workerData.buffer);
      const start = new Int32Array(workerData.start);
      Atomics.add(start, 0, 1);
      while (Atomics.load(start, 0) < workerData.threads);
      const got = [];
      for (let n = 0; n < workerData.count; n++)
        if (claims.claim(n % 2 === 0, createHash('sha256').update(String(n)).digest())) got.push(n);
      parentPort.postMessage(got);
    });`;
  const threads = 3;
  const start = new SharedArrayBuffer(4);
  const module = new URL('./claims.ts', import.meta.url).href;
  const workers = Array.from(
    { length: threads },
    () => new Worker(code, { eval: true, workerData: { module, buffer, start, threads, count } }),
  );
  const lists = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0] as number[]));
  const all = lists.flat().sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: count }, (_, n) => n),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
});
