import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ByteBudget } from './byte-budget.ts';

test('whoever does not fit waits, and nobody overtakes', async () => {
  const budget = new ByteBudget(10);
  const order: string[] = [];
  const first = await budget.take(6);
  const noting = async (name: string, bytes: number) => {
    const share = await budget.take(bytes);
    order.push(name);
    return share;
  };
  const second = noting('second', 6);
  const third = noting('third', 1);
  await setImmediate();
  assert.deepEqual(order, []);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  await third;
  assert.deepEqual(order, ['second', 'third']);
});

test('more than the whole budget is let through, alone', async () => {
  const budget = new ByteBudget(10);
  let isThrough = false;
  const small = await budget.take(1);
  const huge = budget.use(100, async () => {
    isThrough = true;
  });
  await setImmediate();
  assert.equal(isThrough, false);
  small[Symbol.dispose]();
  await huge;
  assert.equal(isThrough, true);
});

test('work that fails gives its bytes back', async () => {
  const budget = new ByteBudget(10);
  const failing = budget.use(10, async () => {
    throw new Error('in vain');
  });
  await assert.rejects(failing, { message: 'in vain' });
  await budget.take(10);
});
