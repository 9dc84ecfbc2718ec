/** Whoever can write the catalog writes a new audit log that fits together: the heads in the storages tell. */
import assert from 'node:assert/strict';
import { readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/progress.ts';
import { type AuditRecord, appendAudit, BEGINNING, hashOf, listAudit } from '../../src/catalog/audit.ts';
import { readAuditSight } from '../../src/catalog/audit-sight.ts';
import { copyCatalog } from '../../src/catalog/copy.ts';
import { verifyAudit } from '../../src/catalog/verify-audit.ts';
import { type OpenSession, openSession } from '../../src/operations/open-session.ts';
import { acceptAudit, checkAudit, keepHeadsOfCopy } from '../../src/server/access.ts';
import { saveCatalog } from '../../src/service/catalog-copies.ts';
import { openLocalStore } from '../../src/storage/local/local-store.ts';
import { type AccessServer, accessServer, type Browser } from '../support/access.ts';
import { init } from '../support/care.ts';
import { holdfast } from '../support/holdfast.ts';

let server: AccessServer;
let storage: string;
let anna: Browser;
let session: OpenSession;
const signal = new AbortController().signal;

before(async () => {
  server = await accessServer(undefined);
  storage = join(dirname(server.config.file), 'a');
  await init([openLocalStore({ name: 'a', path: storage, create: true })], 'p');
  session = await openSession(server.config, { clock: systemClock, signal, progress: silent });
  await server.account('anna', ['administrator', '*']);
  anna = await server.loggedIn('anna');
});
after(async () => {
  await session?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
});

const place = () => ({ path: join(dirname(server.config.file), 'catalog.sqlite') });
const save = () => saveCatalog(place(), session);
const check = () => checkAudit(server.catalog, session, { signal });
const all = async () => (await listAudit(server.catalog.db, { limit: 1_000 })).reverse();

async function write(upTo: number): Promise<void> {
  const entry = { actor: 'user:anna', action: 'test', outcome: 'ok' } as const;
  for (;;) if ((await appendAudit(server.catalog.db, entry, server.clock.now())).seq >= upTo) return;
}

/** Puts these entries in the place of the log, chained anew, as somebody does who can write the catalog. */
async function forge(entries: readonly AuditRecord[]): Promise<void> {
  const { db } = server.catalog;
  await db.deleteFrom('audit').execute();
  let head = entries[0] === undefined ? BEGINNING : { seq: entries[0].seq - 1, hash: entries[0].previous };
  for (const entry of entries) {
    const unsigned = { ...entry, previous: head.hash };
    head = { seq: entry.seq, hash: hashOf(unsigned) };
    await db
      .insertInto('audit')
      .values({ ...unsigned, hash: head.hash })
      .execute();
  }
  const value = JSON.stringify(head);
  await db.updateTable('catalog_values').set({ value }).where('key', '=', 'audit.head').execute();
}

const verification = async () => (await anna.ask('/api/v1/audit/verification')).body;

test('a log that was rewritten, shortened or replaced is told with the entry from which it differs; it is not kept', async () => {
  const none = await verification();
  assert.deepEqual([none.whole, none.compared, none.heads], [true, true, 0]);
  await write(10);
  await save();
  await write(15);
  await save();
  await write(17);
  const sound = await verification();
  assert.deepEqual([sound.whole, sound.heads, sound.newest_head.seq, sound.storages], [true, 2, 15, ['a']]);
  const real = await all();
  const told = async (entries: readonly AuditRecord[], message: RegExp) => {
    await forge(entries);
    await verifyAudit(server.catalog); // by itself it fits together
    await assert.rejects(check(), { code: 'audit_broken', message });
    const { whole, problem } = await verification();
    assert.equal(whole, false);
    assert.match(problem, message);
  };
  await told(
    real.map((entry) => (entry.seq === 12 ? { ...entry, actor: 'user:ben' } : entry)),
    /differs from entry 12 on\. Entry 15, kept on 20\S+, is another one now/,
  );
  await told(real.slice(0, 13), /differs from entry 14 on\. Entry 15, .* is missing/);
  await told([], /differs from entry 1 on\. Entry 10, .* is missing/);

  const copies = join(storage, 'meta', 'catalog-copies');
  const kept = (await readdir(copies)).sort();
  await assert.rejects(save(), { code: 'audit_broken' });
  assert.deepEqual((await readdir(copies)).sort(), kept, 'what is kept stays as it was');
  assert.match((await readAuditSight(server.catalog.db))?.problem ?? '', /differs from entry 1 on/, 'alerts tell it');
  await rename(copies, `${copies}-away`);
  await told(
    real.map((entry) => (entry.seq === 12 ? { ...entry, actor: 'user:ben' } : entry)),
    /differs from one of the entries 11 to 15 on/,
  );
  await rename(`${copies}-away`, copies);

  const head = await verifyAudit(server.catalog);
  await acceptAudit(session, head, { by: 'cli:root', why: 'a test' });
  assert.deepEqual((await check()).comparison?.accepted?.why, 'a test');
  await save();
  assert.equal((await readAuditSight(server.catalog.db))?.problem, undefined, 'and that it is over');
  await told(await all().then((entries) => entries.slice(0, 5)), /differs from/);
  await forge(await all());
  await acceptAudit(session, await verifyAudit(server.catalog), { by: 'cli:root', why: 'again' });
});

test('where no storage can be asked, that is what is said', async () => {
  const command = (...words: string[]) =>
    holdfast(['--config', server.config.file, '--json', 'audit', 'verify', ...words]);
  await rename(storage, `${storage}-away`);
  await using _ = { [Symbol.asyncDispose]: () => rename(`${storage}-away`, storage) };
  const alone = await command();
  assert.equal(alone.code, 3);
  assert.equal((alone.summary as { compared: null }).compared, null);
  assert.match((alone.summary as { problem: string }).problem, /does not exist/);
  const plain = await holdfast(['--config', server.config.file, 'audit', 'verify']);
  assert.match(plain.stdout, /NOT compared with what the storages keep/);
  assert.equal((await command('--without-storages')).code, 0);
  const { whole, compared, not_compared: reason } = await verification();
  assert.deepEqual([whole, compared, typeof reason], [true, false, 'string']);
});

test('a log that came back from a copy without its oldest entries is whole where the storages vouch for its beginning', async () => {
  await write(30);
  let copy = '';
  await copyCatalog(server.catalog, { at: server.clock.now(), part: 'whole' }, (lines) => {
    copy += lines;
  });
  const cut = copy
    .split('\n')
    .filter((line) => !/^\[[1-9],\d{13},/.test(line))
    .join('\n');
  await keepHeadsOfCopy(server.catalog.db, session, cut);
  await server.catalog.db.deleteFrom('audit').where('seq', '<', 10).execute();
  await assert.rejects(verifyAudit(server.catalog), { code: 'audit_broken', message: /entries 1 to 9 are missing/ });
  assert.equal((await check()).head.seq >= 30, true);
  await server.catalog.db.deleteFrom('audit').where('seq', '<', 12).execute();
  await assert.rejects(check(), { code: 'audit_broken', message: /entries 1 to 11 are missing/ });
  await forge(await all());
});
