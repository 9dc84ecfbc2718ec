import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attachment } from './archive.ts';

test('a file name from a backup cannot add a header, end the quotes or name another character set', () => {
  for (const name of [
    'a\r\nset-cookie: x=1',
    'a"; filename="b',
    "a''b%41",
    'a\u0000\u001b[31m',
    '\u202egpj.exe',
    '💣\ud800',
  ])
    for (const bytes of [Buffer.from(name), Buffer.from(name, 'latin1')]) {
      const value = attachment(bytes);
      assert.match(value, /^[ -~]*$/);
      assert.match(value, /^attachment; filename="[^"\\%]*"; filename\*=UTF-8''[\w!~.%-]*$/);
      new Headers({ 'content-disposition': value });
    }
});
