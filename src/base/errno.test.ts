import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { errno } from './errno.ts';
import { Failure } from './failure.ts';

test('errors of the operating system are told from all others', () => {
  const thrownBy = (work: () => void): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  assert.equal(errno(thrownBy(() => readFileSync('/no/such/file'))), 'ENOENT');
  assert.equal(errno(thrownBy(() => new URL('no url'))), undefined);
  assert.equal(errno(thrownBy(() => Buffer.alloc(-1))), undefined);
  assert.equal(errno(new Failure('internal', 'ours')), undefined);
  assert.equal(errno({ code: 'ENOENT' }), undefined);
  assert.equal(errno(undefined), undefined);
});
