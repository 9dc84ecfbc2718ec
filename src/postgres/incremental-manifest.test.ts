import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { manifestOfBase } from './incremental-manifest.ts';
import { mainForkOf, relationKey } from './relation-path.ts';

test('the manifest is JSON with the checksum of itself, and keeps all 64 bits of the identifier', () => {
  const files = [['base/5/1259', 8192] as const, ['base/5/odd "name"', 0] as const];
  const text = manifestOfBase({
    systemIdentifier: '7654321098765432109',
    timeline: 3,
    startLsn: 0x1_0000_0028n,
    stopLsn: 0x1_0000_0100n,
    files,
  }).toString();
  const json = JSON.parse(text);
  assert.match(text, /"System-Identifier": 7654321098765432109,/);
  assert.deepEqual(json.Files[1], { Path: 'base/5/odd "name"', Size: 0 });
  assert.deepEqual(json['WAL-Ranges'], [{ Timeline: 3, 'Start-LSN': '1/28', 'End-LSN': '1/100' }]);
  const before = text.slice(0, text.indexOf('"Manifest-Checksum"'));
  assert.equal(json['Manifest-Checksum'], createHash('sha256').update(before).digest('hex'));
});

test('main forks are told by their paths, with their segments; nothing else is one', () => {
  assert.deepEqual(mainForkOf('base/5/16385'), { relation: relationKey('1663', '5', '16385'), segment: 0 });
  assert.deepEqual(mainForkOf('base/5/16385.12'), { relation: '1663/5/16385', segment: 12 });
  assert.deepEqual(mainForkOf('global/1262'), { relation: '1664/0/1262', segment: 0 });
  assert.deepEqual(mainForkOf('pg_tblspc/16400/PG_17_202406281/5/16390'), { relation: '16400/5/16390', segment: 0 });
  for (const path of ['base/5/16385_vm', 'base/5/16385_fsm.1', 'base/5/t3_16385', 'global/pg_control', 'pg_wal/1'])
    assert.equal(mainForkOf(path), undefined, path);
});
