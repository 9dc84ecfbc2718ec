import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCatalog } from '../catalog/catalog.ts';
import { appendEvent } from '../catalog/events.ts';
import { KeptAnswers } from './kept-answers.ts';

test('a page is kept from its second time on, until somebody writes: this process or another', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-kept-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'catalog.sqlite');
  await using catalog = await openCatalog({ path });
  await using other = await openCatalog({ path });
  const kept = new KeptAnswers(catalog);
  let made = 0;
  const ask = async (address = 'a') =>
    String(Buffer.from((await kept.answer(address, async () => Buffer.from(`${++made}`))).text));
  assert.deepEqual([await ask(), await ask(), await ask(), await ask('b'), await ask()], ['1', '2', '2', '3', '2']);
  await appendEvent(catalog.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual([await ask(), await ask()], ['4', '4']);
  await appendEvent(other.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual([await ask(), await ask()], ['5', '5']);
  await appendEvent(other.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['6', '6', '6']);
});

test('only so many pages are kept, and no long ones', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-kept-'));
  t.after(() => rm(directory, { recursive: true }));
  await using catalog = await openCatalog({ path: join(directory, 'catalog.sqlite') });
  const kept = new KeptAnswers(catalog);
  const lengths = [600 * 1024, ...Array.from({ length: 20 }, () => 400 * 1024)];
  let made = 0;
  const ask = (address: number) =>
    kept.answer(`${address}`, async () => {
      made += 1;
      return Buffer.alloc(lengths[address]!);
    });
  for (const _ of [1, 2, 3]) await ask(0);
  assert.equal(made, 3);
  for (const address of lengths.keys()) for (const _ of [1, 2]) await ask(address);
  made = 0;
  await ask(20);
  await ask(1);
  assert.equal(made, 1);
});
