/** The page on the API and the statuses that are really answered say the same. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { EXIT, FAILURES, Failure, type FailureCode } from '../base/failure.ts';
import { problemOf, statusOf } from './problem.ts';

/** The rule for what no row names. */
function usual(code: FailureCode): number {
  const ours = code.startsWith('config_') || code === 'secret_unavailable';
  if (FAILURES[code].exit === EXIT.usage && !ours) return 422;
  return FAILURES[code].retry ? 503 : 500;
}

test('docs/api.md names the status of every code that does not follow the rule', async () => {
  const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) \| (.+) \|$/gm)];
  const told = new Map(
    rows.flatMap(([, status, codes]) =>
      [...codes!.matchAll(/`([a-z_]+)`/g)].map(([, code]): [string, number] => [code!, Number(status)]),
    ),
  );
  for (const code of Object.keys(FAILURES) as FailureCode[])
    assert.equal(told.get(code) ?? usual(code), statusOf(new Failure(code, '')), code);
  for (const code of told.keys()) assert.ok(Object.hasOwn(FAILURES, code), `${code} is no code`);
});

test('a mistake of ours is told without its message, which may name anything', () => {
  const problem = problemOf(new TypeError('cannot read property of hunter2'), 'id');
  assert.equal(problem.code, 'internal');
  assert.equal(problem.status, 500);
  assert.doesNotMatch(JSON.stringify(problem), /hunter2/);
});
