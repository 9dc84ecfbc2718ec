import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cuttingOf } from './grain.ts';

const MIB = 1024 * 1024;

test('relation files are cut at multiples of the page size, finer when small; the grain depends on size alone', () => {
  const relations = [
    'base/5/16385',
    'base/5/16385.1',
    'base/5/16385_vm',
    'global/1262',
    'base/5/t3_16390',
    'pg_tblspc/16384/PG_17_202406281/5/16390_fsm',
  ];
  for (const path of relations) {
    assert.deepEqual(cuttingOf(path, MIB), { by: 'offset', grain: 64 * 1024 });
    assert.deepEqual(cuttingOf(path, 1024 * MIB), { by: 'offset', grain: MIB });
  }
});

test('other files are cut by content', () => {
  for (const path of ['global/pg_control', 'PG_VERSION', 'base/5/pg_filenode.map', 'backup_label', 'pg_xact/0000']) {
    assert.deepEqual(cuttingOf(path, 8192), { by: 'content' }, path);
  }
});
