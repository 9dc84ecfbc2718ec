import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cuttingOf, grainPolicy } from './grain.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const RELATIONS = [
  'base/5/16385',
  'base/5/16385.1',
  'base/5/16385_vm',
  'global/1262',
  'base/5/t3_16390',
  'pg_tblspc/16384/PG_17_202406281/5/16390_fsm',
];

test('where everything is read each time, relation files are cut at multiples of the page size, finer when small', () => {
  const policy = grainPolicy(GIB, false);
  for (const path of RELATIONS) {
    assert.deepEqual(cuttingOf(path, MIB, policy), { by: 'offset', grain: 64 * KIB });
    assert.deepEqual(cuttingOf(path, 1024 * MIB, policy), { by: 'offset', grain: MIB });
  }
});

test('where changes are read, pieces are fine, in huge clusters as fine as their number allows', () => {
  const grains = [1, 16, 17, 100, 1024, 100_000].map((gib) => {
    const policy = grainPolicy(gib * GIB, true);
    return [policy.grainOf(MIB) / KIB, policy.grainOf(GIB) / KIB, policy.changed / KIB];
  });
  assert.deepEqual(grains, [
    [16, 16, 16],
    [16, 16, 16],
    [32, 32, 16],
    [128, 128, 16],
    [1024, 1024, 128],
    [1024, 1024, 128],
  ]);
});

test('other files are cut by content', () => {
  for (const path of ['global/pg_control', 'PG_VERSION', 'base/5/pg_filenode.map', 'backup_label', 'pg_xact/0000']) {
    assert.deepEqual(cuttingOf(path, 8192, grainPolicy(GIB, true)), { by: 'content' }, path);
  }
});
