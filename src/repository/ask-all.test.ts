import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '../base/testing/manual-clock.ts';
import { memoryStore } from '../storage/testing/memory-store.ts';
import { askAll } from './ask-all.ts';
import { toReplicas } from './replicas.ts';

const replicas = toReplicas(['near', 'far', 'silent'].map((name) => memoryStore(name)));
const never = () => new Promise<never>(() => {});

/** Asks all three; `answers` says how each answers. Beginning with "!" is an answer that is not good. */
function ask(clock: ReturnType<typeof manualClock>, answers: Readonly<Record<string, () => Promise<string>>>) {
  const given: AbortSignal[] = [];
  const answered = askAll(replicas, {
    clock,
    signal: undefined,
    ask: ({ name }, signal) => {
      given.push(signal);
      return answers[name]!();
    },
    isGood: (answer) => !answer.startsWith('!'),
    silent: (_replica, failure) => failure.message,
  });
  return { answered, given };
}

test('once one storage has answered, a silent one is given up by name after ten seconds, and told so', async () => {
  const clock = manualClock();
  const answers = { near: async () => 'a', far: () => clock.sleep(9_000).then(() => 'b'), silent: never };
  const { answered, given } = ask(clock, answers);
  await clock.advance(9_999);
  assert.equal(given[2]!.aborted, false);
  await clock.advance(1);
  assert.deepEqual(await answered, ['a', 'b', 'silent: no answer 10 s after another storage had answered.']);
  assert.equal(given[2]!.aborted, true);
});

test('while no storage has answered well, every one has all the time it takes', async () => {
  const clock = manualClock();
  const answers = {
    near: async () => '!no',
    far: () => clock.sleep(3_600_000).then(() => '!neither'),
    silent: () => clock.sleep(7_200_000).then(() => 'late'),
  };
  const { answered } = ask(clock, answers);
  await clock.advance(7_200_000);
  assert.deepEqual(await answered, ['!no', '!neither', 'late']);
});

test('when all have answered nothing is waited for', async () => {
  const clock = manualClock();
  const { answered } = ask(clock, { near: async () => 'a', far: async () => 'b', silent: async () => 'c' });
  assert.deepEqual(await answered, ['a', 'b', 'c']);
  await clock.advance(0);
  assert.deepEqual(clock.sleeping, []);
});
