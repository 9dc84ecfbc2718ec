/** Prose that would outlive the code: the tests, constants and decisions that the documentation names are there, and so are the pictures. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toSvg } from '../../scripts/pictures/svg.ts';
import { screenAfter } from '../../scripts/pictures/terminal.ts';
import { pages, readPage } from '../support/docs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('every test that ARCHITECTURE.md, or the page of faults, names exists', () => {
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT }).filter(
    (file) => !file.includes('docs'),
  );
  const code = files.map(read).join('\n').replaceAll("\\'", "'");
  const table = readPage('ARCHITECTURE.md').split('## Invariants')[1]?.split('\n## ')[0] ?? '';
  const bugs = readPage('docs/faults.md').split('## Bugs that other')[1]?.split('\n## ')[0] ?? '';
  const named = [...(table + bugs).matchAll(/"([^"]+)"/g)].map(([, name = '']) => name.replaceAll(/[“”]/g, '"'));
  assert.ok(named.length > 10);
  assert.deepEqual(
    named.filter((name) => !code.includes(name)),
    [],
  );
});

test('every test file that the page of faults names exists, and every test of faults is on it', () => {
  const named = [...readPage('docs/faults.md').matchAll(/`((?:test|src)\/[\w/.-]+\.test\.ts)`/g)].map(
    ([, file = '']) => file,
  );
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT });
  assert.deepEqual(
    named.filter((file) => !files.includes(file)),
    [],
  );
  assert.deepEqual(
    files.filter((file) => file.startsWith('test/faults/') && !named.includes(file)),
    [],
  );
});

test('the bounds in ARCHITECTURE.md are those of the code', () => {
  const rows = [...readPage('ARCHITECTURE.md').matchAll(/\| ([\d,]+)( MiB)? \| `(\w+)` in `([\w/.-]+)` \|/g)];
  assert.ok(rows.length > 5);
  for (const [, number = '', unit, name, file = ''] of rows) {
    const written = Number(number.replaceAll(',', '')) * (unit === undefined ? 1 : 1024 * 1024);
    const expression = new RegExp(`const ${name} = ([\\d_ *]+);`).exec(read(file))?.[1];
    assert.equal(product(expression ?? ''), written, `${name} in ${file}`);
  }
});

test('every decision is in the index of decisions, by its title', () => {
  const index = readPage('docs/decisions/README.md');
  for (const file of globSync('docs/decisions/[0-9]*.md', { cwd: ROOT }))
    assert.ok(index.includes(file.split('/').at(-1)!), file);
});

test('every picture that a page shows is there, and every picture is shown', () => {
  const shown = pages().flatMap((page) =>
    [...readPage(page).matchAll(/!\[[^\]]+\]\(([^)]+\.svg)\)/g)].map(([, path = '']) => join(dirname(page), path)),
  );
  assert.deepEqual(globSync('docs/pictures/*.svg', { cwd: ROOT }).sort(), [...new Set(shown)].sort());
});

describe('pictures of a terminal', () => {
  const text = (output: string, columns = 20) =>
    screenAfter(output, columns).map((spans) => spans.map((span) => span.text).join(''));

  test('a line that was drawn over shows what was drawn last', () => {
    assert.deepEqual(text('begin\r\n10 %\r\n\u001b[1A\u001b[Jdone\r\nend\r\n'), ['begin', 'done', 'end']);
    assert.deepEqual(text('ab cd\rxy\u001b[K'), ['xy']);
  });

  test('long lines go on below', () => {
    assert.deepEqual(text('0123456789', 4), ['0123', '4567', '89']);
  });

  test('colours and weights become spans', () => {
    const [line] = screenAfter('\u001b[1mA\u001b[22m\u001b[31mB\u001b[39mC', 20);
    assert.deepEqual(
      line?.map(({ text: written, colour, bold }) => [written, colour, bold]),
      [
        ['A', 'plain', true],
        ['B', 'red', false],
        ['C', 'plain', false],
      ],
    );
  });

  test('what is drawn cannot break out of the picture', () => {
    const svg = toSvg({ title: '<t>', columns: 20, screen: screenAfter('a <script> & "b"', 20) });
    assert.doesNotMatch(svg, /<script>|<t>/);
    assert.match(svg, /a &#60;script&#62; &#38; &#34;b&#34;/);
  });
});

/** The value of `32 * 1024 * 1024`. */
function product(expression: string): number {
  return expression
    .split('*')
    .reduce((result, factor) => result * Number(factor.replaceAll('_', '').trim() || Number.NaN), 1);
}
