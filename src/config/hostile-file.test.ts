/** Whatever the file holds, reading it ends in a configuration or in a list of problems, never in anything else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { checkFile } from './check-file.ts';

const TEXT = `version: 1
repository: { password: { env: P }, compression: 3 }
storages:
  a: &a { type: local, path: /x, connections: 4 }
  b: { <<: *a, path: /y }
  c: { type: s3, endpoint: "https://h", bucket: bkt, accessKeyId: k, secretAccessKey: { command: [pass, x] } }
copies: { required: 2 }
apps:
  shop:
    sources: { d: { type: postgres, url: { env: U } }, m: { type: files, path: /srv, exclude: ["*.tmp"] } }
    references: [{ query: q, source: m }]
    hooks: { beforeRestore: [docker, stop] }
    schedules: [{ run: backup, cron: "0 2 * * *", timezone: UTC }]
    retention: { daily: 7, within: 30d }
`;

const PIECES = [
  '{',
  '}',
  '[',
  ']',
  ':',
  ' ',
  '\n',
  '\t',
  '*a',
  '&b',
  '!!set',
  '<<',
  '"',
  "'",
  '- ',
  '? ',
  '#',
  '0x1',
  'null',
  '__proto__',
];
PIECES.push(
  '\0',
  '\u2028',
  '💾',
  '---',
  '...',
  '%YAML 9',
  '1e999',
  'constructor',
  '~',
  '|',
  '>',
  '2001-01-01',
  '@',
  '`',
);

/** Numerical Recipes' linear congruential generator: the same sequence every time. */
function* sequence(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

test('a mangled file is refused with problems that have lines', () => {
  const random = sequence(7);
  const below = (limit: number) => Math.floor(random.next().value * limit);
  for (let round = 0; round < 600; round++) {
    let text = TEXT;
    for (let edits = below(4); edits >= 0; edits--) {
      const at = below(text.length);
      text = text.slice(0, at) + PIECES[below(PIECES.length)]! + text.slice(at + below(12));
    }
    assertReadable(text);
  }
});

test('every single value replaced by another kind of value is refused or read', () => {
  const values = [
    'null',
    '[]',
    '{}',
    '0',
    '-1',
    '1.5',
    'true',
    '""',
    '{ env: X }',
    '{ env: 1 }',
    '[[]]',
    '{ a: { b: c } }',
    '.nan',
    '.inf',
  ];
  const places = [...TEXT.matchAll(/: (\w[\w/]*)(?=[,\s}])/g)];
  for (const place of places) {
    for (const value of values) {
      assertReadable(`${TEXT.slice(0, place.index)}: ${value}${TEXT.slice(place.index + place[0].length)}`);
    }
  }
});

function assertReadable(text: string): void {
  try {
    checkFile({ file: '/x/holdfast.yaml', text, mode: 0o600 });
  } catch (error) {
    assert.ok(isFailure(error, 'config_invalid'), `${String((error as Error).stack)}\n${text}`);
    const problems = error.details.problems as { line: number; message: string }[];
    assert.ok(problems.length > 0);
    for (const { line, message } of problems)
      assert.ok(line >= 1 && message !== '' && !message.includes('nvalid input'), `${message}\n${text}`);
  }
}
