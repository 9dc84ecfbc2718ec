/** The page that explains errors and the catalogue of errors say the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EXIT, FAILURES } from '../../src/base/failure.ts';
import { EXIT_MEANINGS } from '../../src/cli/report.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const ROW = /^\| `(\w+)` \| (\d+) \| (yes|no) \| (.+) \|$/gm;

test('docs/errors.md lists every failure code once, with its exit status and whether trying later helps, and no other', () => {
  const documented = [...page.matchAll(ROW)].map(([, code, exit, later]) => `${code} ${exit} ${later}`);
  const known = Object.entries(FAILURES).map(([code, { exit, retry }]) => `${code} ${exit} ${retry ? 'yes' : 'no'}`);
  assert.deepEqual(documented.toSorted(), known.toSorted());
});

test('docs/errors.md and --help know every exit status', () => {
  const documented = [...page.matchAll(/^\| (\d+) \| .+ \|$/gm)].map(([, exit]) => Number(exit));
  assert.deepEqual(documented, Object.values(EXIT));
  assert.deepEqual([...EXIT_MEANINGS.keys()], Object.values(EXIT));
});

test('the comparison notices a code without a row', () => {
  const without = page.replace(/^\| `locked`.*\n/m, '');
  assert.equal([...without.matchAll(ROW)].length, Object.keys(FAILURES).length - 1);
});
