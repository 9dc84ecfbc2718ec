import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkDocumentation } from '../../scripts/documentation/check.ts';

function problems(pages: Record<string, string>): string[] {
  const all = new Map(Object.entries(pages));
  const found = checkDocumentation({
    pages: all,
    exists: (path) => all.has(path) || path === 'src/base',
    scripts: new Set(['demo']),
  });
  return found.map(({ page, line, message }) => `${page}:${line} ${message}`);
}

test('a sound set of pages has no problem', () => {
  const readme = [
    '# A Title, with `code`',
    '[a](docs/a.md) [b](#a-title-with-code) [c](https://example.org/x#y) [d](src/base) `npm run demo`',
    '```',
    'not[a](link)',
    '```',
  ];
  assert.deepEqual(problems({ 'README.md': readme.join('\n'), 'docs/a.md': '' }), []);
});

test('a link to a file that is not there is found', () => {
  assert.deepEqual(problems({ 'docs/a.md': 'x\n[a](b.md)' }), ['docs/a.md:2 links to b.md, but there is no docs/b.md']);
});

test('a link to a heading that is not there is found, in the same page and in another', () => {
  assert.deepEqual(problems({ 'a.md': '# Here\n[x](#there) [y](b.md#gone)', 'b.md': '# Left\n' }), [
    'a.md:2 links to #there, but a.md has no such heading',
    'a.md:2 links to b.md#gone, but b.md has no such heading',
  ]);
});

test('a command that package.json lacks is found, also in a fenced block', () => {
  assert.deepEqual(problems({ 'a.md': '```\nnpm run gone\n```' }), [
    'a.md:2 names `npm run gone`, which package.json lacks',
  ]);
});
