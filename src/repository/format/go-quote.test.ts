import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../base/failure.ts';
import { goJsonString } from './go-json.ts';
import { goQuote, goUnquote } from './go-quote.ts';
import { damagedCopies, decodesOrRefuses, numbers } from './testing/hostile.ts';

/** Bytes (as latin-1) and what Go's `strconv.Quote` makes of them. */
const QUOTED: readonly (readonly [bytes: string, quoted: string])[] = [
  ['', ''],
  ['plain name.txt', 'plain name.txt'],
  ['"quotes" and \\', '\\"quotes\\" and \\\\'],
  ['\x07\x08\x09\x0a\x0b\x0c\x0d', '\\a\\b\\t\\n\\v\\f\\r'],
  ['\x00\x01\x1f\x7f', '\\x00\\x01\\x1f\\x7f'],
  ['\xff\xfe\x80', '\\xff\\xfe\\x80'],
  ['a\xe2\x82b', 'a\\xe2\\x82b'],
  ['\xc3\xbc', 'ü'],
  ['\xe6\x97\xa5', '日'],
  ['\xf0\x9f\x92\xbe', '💾'],
  ['\xe2\x80\xa8', '\\u2028'],
  ['\xc2\xa0', '\\u00a0'],
  ['\xc2\xad', '\\u00ad'],
  ['\xef\xbf\xbd', '\ufffd'],
  ['\xed\xa0\x80', '\\xed\\xa0\\x80'],
  ['\xf3\xa0\x80\x81', '\\U000e0001'],
  ['\xee\x80\x80', '\\ue000'],
  ['\xf4\x8f\xbf\xbf', '\\U0010ffff'],
  ['\xf4\x90\x80\x80', '\\xf4\\x90\\x80\\x80'],
  ['\xc0\x80', '\\xc0\\x80'],
  ["'<&>`", "'<&>`"],
];

test('names are quoted as Go quotes them, and come back', () => {
  for (const [latin1, quoted] of QUOTED) {
    const bytes = Buffer.from(latin1, 'latin1');
    assert.equal(goQuote(bytes), quoted);
    assert.deepEqual(goUnquote(quoted), bytes);
  }
});

test('every sequence of bytes comes back', () => {
  const below = numbers(3);
  for (let i = 0; i < 5000; i++) {
    const bytes = Buffer.from(Array.from({ length: below(24) }, () => below(i % 2 ? 256 : 128)));
    assert.deepEqual(goUnquote(goQuote(bytes)), bytes);
  }
});

test('the escapes that Go reads but does not write are read', () => {
  assert.equal(goUnquote('\\101\\u0042\\U00000043\\xe2\\x82\\xac').toString(), 'ABC€');
});

test('what is no quoted string is refused', () => {
  for (const text of ['"', 'a\nb', '\\', '\\q', "\\'", '\\x1', '\\u12', '\\ud800', '\\U00110000', '\\400', 'ab\\']) {
    assert.throws(() => goUnquote(text), Failure, text);
  }
  for (const damaged of damagedCopies(Buffer.from('a\\n\\x00\\u2028\\U000e0001ü'), 300)) {
    decodesOrRefuses(() => goUnquote(damaged.toString()));
  }
});

test('JSON strings carry the escapes that Go writes', () => {
  assert.equal(goJsonString('plain'), '"plain"');
  assert.equal(goJsonString('a"b\\c<d>&e'), '"a\\"b\\\\c\\u003cd\\u003e\\u0026e"');
  assert.equal(goJsonString('\b\f\n\r\t\0\x1f\x7f'), '"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"');
  assert.equal(goJsonString('ü💾\u2028\u2029\ufffd'), '"ü💾\\u2028\\u2029\ufffd"');
  assert.equal(goJsonString('\ud800x\udc00'), '"\\ufffdx\\ufffd"');
});
