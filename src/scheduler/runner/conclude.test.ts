import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Run } from '../../catalog/runs.ts';
import { conclude, type Ended } from './conclude.ts';

const NOW = Date.UTC(2026, 5, 1);

function ended(more: Partial<Ended> & { readonly of?: Partial<Run> } = {}): Ended {
  const { of, ...rest } = more;
  const run = {
    ...{
      id: '01kkqcns00daza92e7zpyh7z0n',
      fence: 1,
      app: 'clinic',
      kind: 'backup',
      params: {},
      state: 'running',
      priority: 0,
    },
    ...{
      trigger: 'schedule',
      labels: {},
      notBefore: NOW,
      attempt: 1,
      maxAttempts: 4,
      createdAt: NOW,
      cancelRequested: false,
    },
    ...of,
  } as Run;
  return { run, end: { status: 1 }, now: NOW, ...rest };
}

const unreachable = { code: 'storage_unreachable', message: 'r2: timed out' };

test('0 is success, 3 is done in part, with what the command told', () => {
  const outcome = { point: 'p' };
  assert.deepEqual(conclude(ended({ end: { status: 0 }, outcome })), {
    what: 'finish',
    end: { state: 'succeeded', outcome },
  });
  assert.partialDeepStrictEqual(conclude(ended({ end: { status: 3 } })), { end: { state: 'partial' } });
});

test('what may pass is tried again, later each time, until no attempt is left', () => {
  const pauses = [1, 2, 3].map((attempt) => {
    const conclusion = conclude(ended({ error: unreachable, of: { attempt } }));
    assert.equal(conclusion.what, 'requeue');
    return conclusion.what === 'requeue' ? conclusion.again.notBefore - NOW : 0;
  });
  assert.ok(pauses[0]! >= 30_000 && pauses[1]! >= 4 * 30_000 && pauses[2]! > pauses[1]!);
  assert.partialDeepStrictEqual(conclude(ended({ error: unreachable, of: { attempt: 4 } })), {
    end: { state: 'failed', error: unreachable },
  });
});

test('what does not pass by itself, and what must not be done twice, is not tried again', () => {
  const wrong = { code: 'wrong_password', message: 'no' };
  assert.partialDeepStrictEqual(conclude(ended({ error: wrong })), { end: { state: 'failed' } });
  assert.partialDeepStrictEqual(conclude(ended({ error: unreachable, of: { kind: 'restore' } })), {
    end: { state: 'failed' },
  });
});

test('a repository that another run has locked is waited for without counting, not for ever', () => {
  const locked = { code: 'locked', message: 'a: locked' };
  assert.partialDeepStrictEqual(conclude(ended({ error: locked, of: { attempt: 4 } })), {
    what: 'requeue',
    again: { counted: false },
  });
  const old = conclude(ended({ error: locked, of: { attempt: 4, createdAt: NOW - 13 * 3_600_000 } }));
  assert.partialDeepStrictEqual(old, { end: { state: 'failed' } });
});

test('cancelled, timed out, handed back, killed: each is told as that; what was done before it was stopped counts as done', () => {
  const killed = { status: null, signal: 'SIGKILL' };
  assert.partialDeepStrictEqual(conclude(ended({ stopped: 'cancel', end: { status: 130 } })), {
    end: { state: 'cancelled' },
  });
  assert.partialDeepStrictEqual(conclude(ended({ stopped: 'cancel', end: { status: 0 } })), {
    end: { state: 'succeeded' },
  });
  assert.partialDeepStrictEqual(conclude(ended({ stopped: 'time-limit', end: killed })), {
    end: { error: { code: 'run_timed_out' } },
  });
  assert.partialDeepStrictEqual(conclude(ended({ stopped: 'shutdown', end: killed })), {
    what: 'requeue',
    again: { counted: false },
  });
  assert.partialDeepStrictEqual(conclude(ended({ end: killed })), {
    what: 'requeue',
    again: { error: { code: 'run_crashed' } },
  });
  assert.partialDeepStrictEqual(conclude(ended({ end: { status: 4 }, of: { kind: 'check' } })), {
    end: { error: { code: 'data_damaged' } },
  });
});
