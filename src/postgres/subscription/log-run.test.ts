import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Failure } from '../../base/failure.ts';
import type { Lsn } from '../lsn.ts';
import { LogRun } from './log-run.ts';

const KIB = 1024;

function taken() {
  const parts: { start: Lsn; text: string }[] = [];
  const run = new LogRun(100n, (start, bytes) => parts.push({ start, text: bytes.toString('latin1') }));
  return { run, parts };
}

describe('the log of small messages', () => {
  it('is handed over as one run, from where the last one ended', () => {
    const { run, parts } = taken();
    run.add(100n, Buffer.from('ab'));
    run.add(102n, Buffer.from('c'));
    assert.deepEqual(parts, []);
    run.handOver();
    run.handOver();
    run.add(103n, Buffer.from('d'));
    run.handOver();
    assert.deepEqual(parts, [
      { start: 100n, text: 'abc' },
      { start: 103n, text: 'd' },
    ]);
  });

  it('keeps its order before a large message, which is handed on by itself', () => {
    const { run, parts } = taken();
    run.add(100n, Buffer.from('ab'));
    run.add(102n, Buffer.alloc(40 * KIB, 'x'));
    run.handOver();
    assert.deepEqual(
      parts.map(({ start, text }) => [start, text.length]),
      [
        [100n, 2],
        [102n, 40 * KIB],
      ],
    );
  });

  it('never gathers more than there is room for', () => {
    const { run, parts } = taken();
    let position = 100n;
    for (let i = 0; i < 40; i++) {
      run.add(position, Buffer.alloc(20 * KIB, i));
      position += BigInt(20 * KIB);
    }
    run.handOver();
    assert.ok(parts.length > 1 && parts.every(({ text }) => text.length <= 256 * KIB));
    const expected = Array.from({ length: 40 }, (_, i) => Buffer.alloc(20 * KIB, i));
    assert.equal(parts.map(({ text }) => text).join(''), Buffer.concat(expected).toString('latin1'));
  });

  it('refuses a hole and a step back', () => {
    for (const start of [103n, 101n]) {
      const { run } = taken();
      run.add(100n, Buffer.from('ab'));
      assert.throws(
        () => run.add(start, Buffer.from('c')),
        (error: Failure) => error.code === 'postgres_protocol',
      );
    }
  });
});
