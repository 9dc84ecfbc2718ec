/** The catalog when its file or its server fails: a clear error, nothing half-written, and on with it when the fault is over. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { Failure, isFailure } from '../../src/base/failure.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { readEvents, watchEvents } from '../../src/catalog/events.ts';
import { createRun, listRuns } from '../../src/catalog/runs.ts';
import { mountable } from '../support/mounts.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 21, 3);

let directory: TempDir;
before(async () => {
  directory = await tempDir({ prefix: 'hf-catalog' });
});
after(() => directory?.remove());

const ask = (catalog: Catalog, reason = 'why') =>
  createRun(catalog.db, { app: 'clinic', kind: 'backup', trigger: 'cli', reason }, NOW);

/** The failure has words of ours, a hint, and is one that callers know. */
async function fails(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, 'catalog_failed');
    assert.match(error.message, message);
    assert.notEqual(error.hint, undefined);
    return true;
  });
}

test(
  'a full disk: the run is not there and neither is its event; with room again all goes on',
  await mountable(),
  async () => {
    const mount = join(directory.path, 'small');
    execFileSync('mkdir', [mount]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1M', 'tmpfs', mount]);
    try {
      await using catalog = await openCatalog({ path: join(mount, 'catalog.sqlite') });
      await ask(catalog);
      const filler = join(mount, 'filler');
      const free = Number(execFileSync('df', ['--output=avail', '-B1', mount]).toString().split('\n')[1]);
      writeFileSync(filler, Buffer.alloc(Math.max(0, free)));
      await fails(ask(catalog, 'x'.repeat(300_000)), /disk of the catalog .* is full/);
      assert.equal((await listRuns(catalog.db, { limit: 10 })).runs.length, 1);
      assert.equal((await readEvents(catalog.db, 0, 10)).length, 1);
      rmSync(filler);
      await ask(catalog, 'again');
      assert.equal((await listRuns(catalog.db, { limit: 10 })).runs.length, 2);
    } finally {
      execFileSync('umount', [mount]);
    }
  },
);

test('locked by another process: the writer waits for it without holding up its own process', async () => {
  const path = join(directory.path, 'locked.sqlite');
  await using catalog = await openCatalog({ path });
  await using reader = await openCatalog({ path });
  const other = new DatabaseSync(path);
  other.exec('begin immediate');
  const writing = ask(catalog);
  assert.equal((await listRuns(reader.db, { limit: 1 })).runs.length, 0); // readers go on meanwhile
  other.exec('rollback');
  other.close();
  assert.equal((await writing).created, true);
});

test('a file that is no catalog, or a damaged one, is refused and left as it is', async () => {
  const path = join(directory.path, 'text.sqlite');
  const text = 'not a database at all, '.repeat(500);
  writeFileSync(path, text);
  await fails(openCatalog({ path }), /damaged or is no catalog/);
  assert.equal(readFileSync(path, 'utf8'), text);

  const broken = join(directory.path, 'broken.sqlite');
  await (await openCatalog({ path: broken }))[Symbol.asyncDispose]();
  const bytes = readFileSync(broken);
  bytes.fill(0xa5, 4096); // the first page stays: the file still looks like a database
  writeFileSync(broken, bytes);
  await fails(openCatalog({ path: broken }), /damaged or is no catalog/);
});

test('a file that is removed while it is in use takes no writes that nobody would see', async () => {
  const path = join(directory.path, 'removed.sqlite');
  await using catalog = await openCatalog({ path });
  await ask(catalog);
  rmSync(path);
  await systemClock.sleep(1100); // it is looked for once a second
  await fails(ask(catalog), /was removed or replaced/);
});

test('a catalog of a newer program is refused with what to do', async () => {
  const path = join(directory.path, 'newer.sqlite');
  await (await openCatalog({ path }))[Symbol.asyncDispose]();
  const db = new DatabaseSync(path);
  db.exec("insert into catalog_migrations (name) values ('9999-later')");
  db.close();
  await fails(openCatalog({ path }), /newer Holdfast/);
});

test('PostgreSQL restarts in mid-use: a clear error, nothing half-written, then on without a new start', async () => {
  await using server = await startPostgres({ major: 17 });
  await server.sql('create database catalog');
  const url = server.url({ database: 'catalog' });
  await using catalog = await openCatalog({ url });
  await ask(catalog);
  const stop = new AbortController();
  let second = () => {};
  const haveSecond = new Promise<void>((resolve) => {
    second = resolve;
  });
  const watching = (async () => {
    for await (const { seq } of watchEvents(catalog, 0, stop.signal, systemClock)) if (seq > 1) second();
  })();
  const cut = catalog.transaction(async (tx) => {
    await createRun(tx, { app: 'clinic', kind: 'check', trigger: 'cli' }, NOW);
    await server.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'holdfast%'");
    await createRun(tx, { app: 'clinic', kind: 'prune', trigger: 'cli' }, NOW);
  });
  await fails(cut, /not reachable/);
  const { runs } = await untilReachable(() => listRuns(catalog.db, { limit: 10 }));
  assert.equal(runs.length, 1);
  await untilReachable(() => ask(catalog));
  await haveSecond; // who watches has found the way back too
  stop.abort();
  await watching;
  await fails(openCatalog({ url: server.url({ database: 'nowhere' }) }), /does not exist/);
});

test('PostgreSQL is not there: said at once, with a hint', async () => {
  await fails(openCatalog({ url: 'postgres://127.0.0.1:1/catalog' }), /not reachable/);
});

/** The idle connections were cut as well: whoever meets one is told so, and asks again. */
async function untilReachable<T>(asking: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await asking();
    } catch (error) {
      if (!isFailure(error, 'catalog_failed')) throw error;
    }
  }
}
