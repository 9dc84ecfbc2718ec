import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMicroseconds } from '../../base/relative-time.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import type { MomentTarget, RecoveryStop } from '../moment.ts';
import { assertReached } from './assert-reached.ts';

const SEGMENT = 16 * 1024 * 1024;
const TIME = 1_704_067_200_000_000n;
const END = 0x3000100n;

interface Case {
  readonly target?: Exclude<MomentTarget, { kind: 'point' }>;
  readonly stop?: RecoveryStop;
  readonly reached?: bigint;
  readonly lsn?: bigint;
  readonly commit?: bigint | null;
}

/** Judges a recovery that ended at `lsn` with `commit` as the last, where a plan for `target` said `reached`. */
function judge({ target = { kind: 'time', time: TIME }, reached = END, lsn = reached, commit = TIME, ...more }: Case) {
  const { stop = { kind: 'lsn', lsn: reached, inclusive: false } } = more;
  const is = { lsn: formatLsn(lsn), commitTime: commit === null ? null : formatMicroseconds(commit) };
  assertReached({ target, stop, reached, log: { line: { segmentSize: SEGMENT } } }, is);
}

const wrong = { code: 'internal', message: /Recovery stopped at .*, not at .* as planned/ };

test('a recovery that ended at the planned record, with no later commit than asked for, is accepted', () => {
  judge({});
  judge({ commit: TIME - 1n });
  judge({ commit: null });
  judge({ target: { kind: 'latest' }, commit: TIME + 1n });
});

test('one that ended before the planned record or after it is refused, and both positions are told', () => {
  for (const lsn of [END - 8n, END + 8n, END + BigInt(SEGMENT)]) assert.throws(() => judge({ lsn }), wrong);
  assert.throws(() => judge({ lsn: END - 8n, commit: null }), {
    code: 'internal',
    message: /^Recovery stopped at 0\/30000F8 with no commit, not at 0\/3000100 as planned/,
  });
});

test('a commit after the time that was asked for is refused, though the position is right', () => {
  assert.throws(() => judge({ commit: TIME + 1n }), {
    code: 'internal',
    message: /with the commit of 2024-01-01T00:00:00\.000001Z/,
  });
});

test('the headers of pages and segments are no distance; a switch of segments ends with its segment, where it is included', () => {
  const page = 0x3002000n;
  judge({ reached: page, lsn: page + 24n });
  judge({ reached: BigInt(4 * SEGMENT), lsn: BigInt(4 * SEGMENT) + 40n });
  assert.throws(() => judge({ reached: page, lsn: page + 32n }), wrong);
  const lsn = BigInt(4 * SEGMENT);
  judge({ stop: { kind: 'lsn', lsn: END, inclusive: true }, lsn });
  assert.throws(() => judge({ lsn }), wrong);
});

test('“immediate” is at least where the base is consistent', () => {
  const immediate = { target: { kind: 'immediate' }, stop: { kind: 'immediate' } } as const;
  judge({ ...immediate, lsn: END + 4096n });
  assert.throws(() => judge({ ...immediate, lsn: END - 8n }), wrong);
});
