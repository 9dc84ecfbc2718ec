import assert from 'node:assert/strict';
import { test } from 'node:test';
import { livingReferences, withInPlaceTablespaces } from './neutral.ts';

test('the setting for tablespaces is added once', () => {
  const once = withInPlaceTablespaces(Buffer.from(`work_mem = '4MB'\n`));
  assert.match(Buffer.from(once).toString(), /^work_mem = '4MB'\n[\s\S]*allow_in_place_tablespaces = 'on'\n$/);
  assert.equal(withInPlaceTablespaces(once), once);
});

test('settings that point to the living are named; empty ones are not', () => {
  const conf = `primary_conninfo = 'host=a password=b'\n#archive_command = 'x'\nrestore_command = ''\narchive_library 'lib'\n`;
  assert.deepEqual(livingReferences(Buffer.from(conf)), ['primary_conninfo', 'archive_library']);
});
