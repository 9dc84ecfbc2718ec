import assert from 'node:assert/strict';
import { test } from 'node:test';
import { maskText, maskWords } from './mask.ts';

test('what looks like a secret in the words of a step is hidden, the rest stays to be typed', () => {
  assert.deepEqual(
    maskWords([
      'psql',
      'postgres://app:hunter2@db/clinic',
      '--password',
      'hunter2',
      '--token=abc',
      'PGPASSWORD=x',
      '-h',
      'db',
    ]),
    [
      'psql',
      'postgres://app:********@db/clinic',
      '--password',
      '********',
      '--token=********',
      'PGPASSWORD=********',
      '-h',
      'db',
    ],
  );
  assert.deepEqual(maskWords(['curl', '-H', 'Authorization: Bearer abcdef123', 'https://x/?a=1&api_key=9']), [
    ...['curl', '-H', 'Authorization: Bearer ********', 'https://x/?a=1&api_key=********'],
  ]);
  assert.deepEqual(maskWords(['tool', '--password', '--verbose']), ['tool', '--password', '--verbose']);
  assert.equal(maskText('Is clinic up at http://127.0.0.1:8000/?'), 'Is clinic up at http://127.0.0.1:8000/?');
});
