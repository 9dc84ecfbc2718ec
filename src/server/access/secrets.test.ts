import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../base/ids.ts';
import { requireScope } from './scopes.ts';
import { newCode, newToken, tokenId, typedCode } from './secrets.ts';

test('a token tells its id; one that was mistyped or cut short is none', () => {
  const id = newId(Date.UTC(2026, 10, 21));
  const token = newToken(id);
  assert.equal(tokenId(token), id);
  assert.notEqual(token, newToken(id));
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'x' ? 'y' : 'x';
    assert.equal(tokenId(token.slice(0, at) + other + token.slice(at + 1)), undefined, `digit ${at}`);
  }
  for (const spoiled of ['', 'hft_', token.slice(0, -1), `${token}0`, token.toUpperCase(), ` ${token}`])
    assert.equal(tokenId(spoiled), undefined);
});

test('a code is the same however it is typed', () => {
  const code = newCode(5, 5);
  assert.match(code, /^([0-9a-hjkmnp-tv-z]{5}-){4}[0-9a-hjkmnp-tv-z]{5}$/);
  assert.equal(typedCode(` ${code.toUpperCase().replaceAll('-', ' ')} `), typedCode(code));
  assert.equal(typedCode('OIL0-1'), '01101');
});

test('scopes: an area or all, reading or writing', () => {
  const passes = (scope: string, method: string, path: string) => {
    try {
      requireScope([scope], method, path);
      return true;
    } catch {
      return false;
    }
  };
  assert.ok(passes('runs:read', 'GET', '/api/v1/runs/x'));
  assert.ok(passes('runs:write', 'GET', '/api/v1/runs'));
  assert.ok(!passes('runs:read', 'POST', '/api/v1/runs'));
  assert.ok(!passes('runs:write', 'GET', '/api/v1/run-kinds'));
  assert.ok(!passes('runs:write', 'DELETE', '/api/v1/schedules/x'));
  assert.ok(passes('*:read', 'HEAD', '/api/v1/points'));
  assert.ok(!passes('*:read', 'PATCH', '/api/v1/points'));
  assert.ok(passes('metrics:read', 'GET', '/metrics'));
});
