import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { PathPattern, type Position, startAt } from './selection.ts';

const SOURCES = ['database', 'media'];

/** `take`: with everything below; `enter`: something below may match; `leave`: nothing can. */
function decide(patterns: readonly string[], source: string, ...names: string[]): 'take' | 'enter' | 'leave' {
  const compiled = patterns.map((text) => new PathPattern(text));
  let position: Position = startAt(Buffer.from(source), SOURCES, compiled);
  for (const name of names) position = position.enter(Buffer.from(name));
  if (position.taken) return 'take';
  return position.hopeless ? 'leave' : 'enter';
}

test('without patterns everything is taken', () => {
  assert.equal(decide([], 'media', 'a', 'b'), 'take');
});

test('a pattern counts from the root of every source, one that begins with a source counts from above it', () => {
  assert.equal(decide(['photos/1.jpg'], 'media', 'photos', '1.jpg'), 'take');
  assert.equal(decide(['photos/1.jpg'], 'database', 'photos', '1.jpg'), 'take');
  assert.equal(decide(['media/photos'], 'media', 'photos', 'any'), 'take');
  assert.equal(decide(['media/photos'], 'database'), 'leave');
  assert.equal(decide(['media'], 'media', 'a'), 'take');
  assert.equal(decide(['./media/photos/'], 'media', 'photos'), 'take');
});

test('only directories that may hold a match are entered', () => {
  assert.equal(decide(['photos/2026/*.jpg'], 'media', 'photos'), 'enter');
  assert.equal(decide(['photos/2026/*.jpg'], 'media', 'videos'), 'leave');
  assert.equal(decide(['photos/2026/*.jpg'], 'media', 'photos', '2026', '1.png'), 'leave');
  assert.equal(decide(['photos/2026/*.jpg', 'videos'], 'media', 'videos', 'x'), 'take');
});

test('** spans any number of directories, also none', () => {
  for (const names of [['a.pdf'], ['x', 'a.pdf'], ['x', 'y', 'a.pdf']])
    assert.equal(decide(['**/*.pdf'], 'media', ...names), 'take');
  assert.equal(decide(['a/**/b'], 'media', 'a', 'b'), 'take');
  assert.equal(decide(['a/**/b'], 'media', 'a', 'x', 'y', 'b'), 'take');
  assert.equal(decide(['a/**/b'], 'media', 'b'), 'leave');
  assert.equal(decide(['photos/**'], 'media', 'photos', 'x'), 'take');
});

test('names are meant as written too, hidden ones match, and stars stay within a name', () => {
  assert.equal(decide(['scan [1].png'], 'media', 'scan [1].png'), 'take');
  assert.equal(decide(['scan [1].png'], 'media', 'scan 1.png'), 'take');
  assert.equal(decide(['*'], 'media', '.hidden'), 'take');
  assert.equal(decide(['a*b'], 'media', 'a', 'b'), 'leave');
  assert.equal(decide(['!a'], 'media', '!a'), 'take');
});

test('what a pattern matched is known afterwards', () => {
  const patterns = [new PathPattern('a/b'), new PathPattern('c')];
  startAt(Buffer.from('media'), SOURCES, patterns).enter(Buffer.from('a')).enter(Buffer.from('b'));
  assert.deepEqual(
    patterns.map(({ matched }) => matched),
    [true, false],
  );
});

test('paths that lead out of a source are refused', () => {
  for (const text of ['', '/', '..', 'a/../../b', '.', 'x/'.repeat(3000)])
    assert.throws(
      () => new PathPattern(text),
      (error) => isFailure(error, 'usage'),
      text.slice(0, 20),
    );
});
