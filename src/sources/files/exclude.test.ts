import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../../base/failure.ts';
import { compileExcludes } from './exclude.ts';

/** Byte string of a text, as the scan has it. */
const bytes = (text: string) => Buffer.from(text).toString('latin1');

/** Asserts which of `paths` (directories end in a slash) the patterns leave out. */
function leavesOut(patterns: string[], out: string[], kept: string[]) {
  const isExcluded = compileExcludes(patterns)!;
  const check = (path: string) => isExcluded(bytes(path.replace(/\/$/, '')), path.endsWith('/'));
  for (const path of out)
    assert.equal(check(path), true, `${JSON.stringify(patterns)} should leave out ${JSON.stringify(path)}`);
  for (const path of kept)
    assert.equal(check(path), false, `${JSON.stringify(patterns)} should keep ${JSON.stringify(path)}`);
}

test('no patterns exclude nothing, and cost nothing', () => {
  assert.equal(compileExcludes([]), undefined);
});

test('a pattern without a slash is matched on the name, at any depth', () => {
  leavesOut(['*.tmp'], ['a.tmp', 'x/y/a.tmp', '.tmp', '.hidden.tmp', 'd.tmp/'], ['a.tmp.gz', 'tmp', 'a.TMP']);
  leavesOut(
    ['node_modules'],
    ['node_modules/', 'web/node_modules/', 'node_modules'],
    ['node_modules2/', 'x/node_modules.txt'],
  );
});

test('a pattern with a slash is matched on the path from the root', () => {
  leavesOut(['/build', 'media/*.jpg'], ['build/', 'media/a.jpg'], ['src/build/', 'x/media/a.jpg', 'media/x/a.jpg']);
  leavesOut(['a/**/z'], ['a/z', 'a/b/z', 'a/b/c/z'], ['a', 'b/a/z', 'a/zz']);
  leavesOut(['**/cache'], ['cache/', 'x/cache/'], ['cached/']);
});

test('dir/** leaves out what is in a directory and keeps the directory', () => {
  leavesOut(['cache/**'], ['cache/a', 'cache/x/', 'cache/x/y', 'cache/.hidden', 'cache/a\nb'], ['cache/', 'x/cache/a']);
});

test('a trailing slash means directories only', () => {
  leavesOut(['tmp/'], ['tmp/', 'x/tmp/'], ['tmp', 'x/tmp']);
  leavesOut(['/a/b/'], ['a/b/'], ['a/b', 'x/a/b/']);
});

test('the last pattern that matches decides, and ! takes back', () => {
  leavesOut(['*.log', '!keep.log'], ['a.log', 'x/b.log'], ['keep.log', 'x/keep.log']);
  leavesOut(['!keep.log', '*.log'], ['keep.log'], []);
  leavesOut(['cache/**', '!cache/keep.txt'], ['cache/a'], ['cache/keep.txt']);
});

test('classes and alternatives choose, other punctuation is literal', () => {
  leavesOut(['[ab].x', '[!0-9].y', '*.{jpg,png}'], ['a.x', 'z.y', 'p.jpg', 'p.png'], ['c.x', '1.y', 'p.gif']);
  leavesOut(
    ['a(1)*.txt', 'x+y*', '$z^*', 'p|q*', '@a*'],
    ['a(1).txt', 'x+yy', '$z^1', 'p|q1', '@ab'],
    ['a1.txt', 'xxy', 'p', 'q1'],
  );
  leavesOut(['a\\*b', '\\!x'], ['a*b', '!x'], ['axb', 'x']);
});

test('names are matched as UTF-8 text, or byte by byte when they are none', () => {
  leavesOut(['é?.txt'], ['éü.txt'], ['é.txt']);
  const isExcluded = compileExcludes(['*.tmp', 'a?b'])!;
  assert.equal(isExcluded('\xff\xfe.tmp', false), true);
  assert.equal(isExcluded('a\xffb', false), true);
});

test('a pattern that can match nothing is refused with the pattern named', () => {
  for (const pattern of ['', '/', '!', '!/', '//', 'x'.repeat(5000)]) {
    assert.throws(
      () => compileExcludes([pattern]),
      (error) => isFailure(error, 'config_invalid'),
    );
  }
});
