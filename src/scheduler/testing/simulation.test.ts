import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCatalog } from '../../catalog/catalog.ts';
import { simulate } from './simulation.ts';

test('simulated days of workers and schedulers that die and stand still: nothing lost, nothing twice', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hf-simulation-'));
  try {
    await using catalog = await openCatalog({ path: join(directory, 'catalog.sqlite') });
    const figures = await simulate(catalog, { apps: 50, workers: 4, days: 2, seed: 7, mishapEvery: 1_800_000 });
    assert.partialDeepStrictEqual(figures, { due: 100, lost: 0, twice: 0, untrue: 0, overlapping: 0 });
    assert.ok(figures.kills > 10 && figures.pauses > 10 && figures.commands > figures.due);
  } finally {
    await rm(directory, { recursive: true });
  }
});
