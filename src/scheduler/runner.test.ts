/** One run as its worker carries it out: how long it may take, what a process that does not stop gets, what people say to it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type ManualClock, manualClock } from '../base/testing/manual-clock.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { claimRun } from '../catalog/claim.ts';
import { addRunInput } from '../catalog/run-inputs.ts';
import { createRun, getRun, type NewRun, type Run } from '../catalog/runs.ts';
import { type Child, type ChildEnd, type ChildListener, carryOut } from './runner.ts';

const MINUTE = 60_000;
const GRACE = MINUTE;

interface World extends AsyncDisposable {
  readonly catalog: Catalog;
  readonly clock: ManualClock;
  /** Asks for a run and claims it. */
  claimed(more?: Partial<NewRun>): Promise<Run>;
  carryOut(run: Run, start: (listener: ChildListener) => Child): ReturnType<typeof carryOut>;
  stateOf(run: Run): Promise<Run>;
}

async function world(): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'hf-runner-'));
  const catalog = await openCatalog({ path: join(directory, 'catalog.sqlite') });
  const clock = manualClock();
  const deps = { catalog, clock, words: [], leaseMs: 60 * MINUTE, graceMs: GRACE };
  return {
    ...{ catalog, clock },
    claimed: async (more = {}) => {
      await createRun(catalog.db, { app: 'clinic', kind: 'backup', trigger: 'api', ...more }, clock.now());
      return (await claimRun(catalog, { id: 'w', labels: {} }, clock.now(), deps.leaseMs))!;
    },
    carryOut: (run, start) =>
      carryOut(run, { ...deps, start: (_command, listener) => start(listener) }, new AbortController().signal),
    stateOf: async ({ id }) => (await getRun(catalog.db, id))!,
    [Symbol.asyncDispose]: async () => {
      await catalog[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    },
  };
}

/** A process that notes what is done to it, and ends as `onStop` says. */
function fakeChild(clock: ManualClock, onStop: Partial<Record<'interrupt' | 'kill', ChildEnd>>) {
  const { promise, resolve } = Promise.withResolvers<ChildEnd>();
  const heard: (readonly [string, number])[] = [];
  const at = (what: 'interrupt' | 'kill') => () => {
    heard.push([what, clock.monotonic()]);
    if (onStop[what] !== undefined) resolve(onStop[what]);
  };
  return { heard, end: resolve, child: { ended: promise, interrupt: at('interrupt'), kill: at('kill') } };
}

/** Time goes on in small steps, with room for the catalog in between, until `work` is over. */
async function passUntil<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let over = false;
  const ended = () => {
    over = true;
  };
  work.then(ended, ended);
  while (!over) {
    await clock.advance(1_000);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  return await work;
}

test('at its time limit a command is asked to stop; one that does not is ended after the grace', async () => {
  await using it = await world();
  const willing = fakeChild(it.clock, { interrupt: { status: 130 } });
  const first = await it.claimed({ timeLimitMs: 10 * MINUTE });
  assert.equal(
    await passUntil(
      it.clock,
      it.carryOut(first, () => willing.child),
    ),
    'finished',
  );
  assert.deepEqual(willing.heard, [['interrupt', 10 * MINUTE]]);
  const { state, error } = await it.stateOf(first);
  assert.deepEqual([state, error?.code], ['failed', 'run_timed_out']);

  const stubborn = fakeChild(it.clock, { kill: { status: null, signal: 'SIGKILL' } });
  const second = await it.claimed({ timeLimitMs: 10 * MINUTE });
  const begun = it.clock.monotonic();
  assert.equal(
    await passUntil(
      it.clock,
      it.carryOut(second, () => stubborn.child),
    ),
    'finished',
  );
  assert.deepEqual(
    stubborn.heard.map(([what, at]) => [what, at - begun]),
    [
      ['interrupt', 10 * MINUTE],
      ['kill', 10 * MINUTE + GRACE],
    ],
  );
  assert.equal((await it.stateOf(second)).error?.code, 'run_timed_out');
});

test('a runbook that is paused begins no step until somebody resumes it, and hears then what was noted meanwhile', async () => {
  await using it = await world();
  const run = await it.claimed({ kind: 'runbook' });
  const say = (kind: 'pause' | 'resume' | 'note', text: string | null = null) =>
    addRunInput(it.catalog, run.id, { by: 'ann', kind, step: null, text }, it.clock.now());
  await say('pause');
  await say('note', 'the lift is broken');
  const { child, end } = fakeChild(it.clock, {});
  let begun: readonly { by: string; text: string }[] | undefined;
  const work = it.carryOut(run, (listener) => {
    void listener.ready(1).then((notes) => {
      begun = notes;
      end({ status: 0 });
    });
    return child;
  });
  for (let seconds = 0; seconds < 10; seconds++) {
    await it.clock.advance(1_000);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
  }
  assert.equal(begun, undefined, 'it is held up');
  await say('resume');
  assert.equal(await passUntil(it.clock, work), 'finished');
  assert.deepEqual(begun, [{ by: 'ann', text: 'the lift is broken' }]);
  assert.equal((await it.stateOf(run)).state, 'succeeded');
});
