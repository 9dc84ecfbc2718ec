import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCatalog } from '../catalog/catalog.ts';
import { appendEvent } from '../catalog/events.ts';
import { KeptAnswers } from './kept-answers.ts';

test('a page is kept until somebody writes: this process or another', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-kept-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'catalog.sqlite');
  await using catalog = await openCatalog({ path });
  await using other = await openCatalog({ path });
  const kept = new KeptAnswers();
  let made = 0;
  const make = async () => ({ text: Buffer.from(`${++made}`) });
  const ask = async (address = 'a') => {
    const { text } = await kept.answer({ address, version: await catalog.version(), now: 0 }, make);
    return String(Buffer.from(text));
  };
  assert.deepEqual([await ask(), await ask(), await ask('b'), await ask()], ['1', '1', '2', '1']);
  await appendEvent(catalog.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual([await ask(), await ask()], ['3', '3']);
  await appendEvent(other.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual([await ask(), await ask()], ['4', '4']);
  await appendEvent(other.db, { type: 'config.reloaded' }, 0);
  assert.deepEqual(await Promise.all([ask(), ask(), ask()]), ['5', '5', '5']);
});

test('what was written while a page was made is in the next answer, whoever waits for the page', async () => {
  const kept = new KeptAnswers();
  const slow = Promise.withResolvers<void>();
  const before = kept.answer({ address: 'a', version: '1', now: 0 }, async () => {
    await slow.promise;
    return { text: Buffer.from('before') };
  });
  const after = kept.answer({ address: 'a', version: '2', now: 0 }, async () => ({ text: Buffer.from('after') }));
  assert.equal(String((await after).text), 'after');
  slow.resolve();
  assert.equal(String((await before).text), 'before');
  const { text } = await kept.answer({ address: 'a', version: '2', now: 0 }, async () => ({
    text: Buffer.from('new'),
  }));
  assert.equal(String(text), 'new');
});

test('a page that time changes is made anew then', async () => {
  const kept = new KeptAnswers();
  let made = 0;
  const ask = async (now: number) => {
    const make = async () => ({ text: Buffer.from(`${++made}`), until: 100 });
    return String((await kept.answer({ address: 'a', version: '1', now }, make)).text);
  };
  assert.deepEqual([await ask(98), await ask(99), await ask(100), await ask(101)], ['1', '1', '2', '3']);
});

test('a page that could not be made is asked for anew', async () => {
  const kept = new KeptAnswers();
  const question = { address: 'a', version: '1', now: 0 };
  const failing = async () => Promise.reject(new Error('gone'));
  await assert.rejects(kept.answer(question, failing), /gone/);
  const { text } = await kept.answer(question, async () => ({ text: Buffer.from('here') }));
  assert.equal(String(text), 'here');
});

test('only so many pages are kept, and no long ones', async () => {
  const kept = new KeptAnswers();
  const lengths = [600 * 1024, ...Array.from({ length: 20 }, () => 400 * 1024)];
  let made = 0;
  const ask = (address: number) =>
    kept.answer({ address: `${address}`, version: '1', now: 0 }, async () => {
      made += 1;
      return { text: Buffer.alloc(lengths[address]!) };
    });
  for (const _ of [1, 2, 3]) await ask(0);
  assert.equal(made, 3);
  for (const address of lengths.keys()) await ask(address);
  made = 0;
  await ask(20);
  await ask(1);
  assert.equal(made, 1);
});
