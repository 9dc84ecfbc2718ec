import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogWriter, MIB, START } from '../../../test/support/log-writer.ts';
import { type CutSpan, Cutter } from './cutter.ts';

const NOW = 1_700_000_000_000_000n;
const HOUR = 3_600_000_000n;

function cutter(start = START, isRestUrgent = () => false) {
  const spans: CutSpan[] = [];
  const cut = (span: CutSpan) => spans.push(span);
  return { spans, cutter: new Cutter({ timeline: 1, start, segmentSize: MIB, cut, isRestUrgent }) };
}

test('the end of the last commit is told by its place in the log, also when the clock was set back before it', () => {
  const log = new LogWriter();
  log.record(10, 0, 1, Buffer.alloc(100));
  log.commit(1, NOW);
  log.commit(2, NOW - HOUR);
  const committed = START + BigInt(log.at);
  log.record(10, 0, 3, Buffer.alloc(100));
  const { cutter: it, spans } = cutter();
  assert.equal(it.commitsEnd, undefined);
  it.push(log.bytes.subarray(0, log.at));
  assert.deepEqual([it.commitsEnd, it.lastCommit], [committed, NOW]);
  it.cutSlice();
  assert.deepEqual([spans[0]?.firstCommit, spans[0]?.lastCommit], [NOW - HOUR, NOW]);
});

test('a commit that began before the log did lies before the first end of a record; log that cannot be read tells nothing', () => {
  const log = new LogWriter();
  while (log.at < MIB - 100) log.record(10, 0, 1, Buffer.alloc(64));
  log.record(1, 0, 2, Buffer.alloc(400));
  const [border, over] = [MIB, log.at];
  log.record(10, 0, 3, Buffer.alloc(64));
  const { cutter: it } = cutter(START + BigInt(border));
  it.push(log.bytes.subarray(border, log.at));
  assert.ok(it.commitsEnd !== undefined && it.commitsEnd >= START + BigInt(over));
  it.push(Buffer.alloc(64, 0xee));
  assert.equal(it.commitsEnd, undefined);
});

test('the rest of a segment that is in slices is cut before the whole where it is urgent, with the times of its own commits', () => {
  const log = new LogWriter();
  log.commit(1, NOW);
  const middle = log.at;
  log.commit(2, NOW + HOUR);
  while (log.at < MIB) log.record(10, 0, 3, Buffer.alloc(5000));
  const end = START + BigInt(MIB);
  for (const isUrgent of [false, true]) {
    const { cutter: it, spans } = cutter(START, () => isUrgent);
    it.push(log.bytes.subarray(0, middle));
    it.cutSlice();
    it.push(log.bytes.subarray(middle, MIB));
    const [slice, ...more] = spans.map(({ start, end: to, firstCommit, replaces }) => ({
      start,
      to,
      firstCommit,
      replaces,
    }));
    assert.deepEqual(slice, { start: START, to: START + BigInt(middle), firstCommit: NOW, replaces: false });
    const rest = { start: START + BigInt(middle), to: end, firstCommit: NOW + HOUR, replaces: false };
    const whole = { start: START, to: end, firstCommit: NOW, replaces: true };
    assert.deepEqual(more, isUrgent ? [rest, whole] : [whole]);
  }
});
