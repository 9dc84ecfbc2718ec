/** A base backup of each major version, written out as plain files, starts as a PostgreSQL with the right rows. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { test } from 'node:test';
import { giveTo, serverAccount } from '../../src/postgres/account.ts';
import type { SourceNotice } from '../../src/sources/entry.ts';
import { openPostgresSource } from '../../src/sources/postgres-source.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { writeEntries } from '../support/postgres/write-entries.ts';
import { tempDir } from '../support/temp.ts';

const all = await majors();
const account = serverAccount();

async function count(server: TestServer, table: string): Promise<number> {
  const [row] = await server.sql(`SELECT count(*)::int AS n FROM ${table}`);
  return Number(row?.n);
}

for (const major of all) {
  test(`PostgreSQL ${major}: a backup starts with every row, those committed while it ran included`, async () => {
    await using server = await startPostgres({ major });
    await server.sql(`CREATE TABLE visits AS SELECT g AS id, md5(g::text) AS note FROM generate_series(1, 20000) g;
                      CREATE TABLE late (id int); CHECKPOINT`);
    await using dir = await tempDir({ open: true });
    const source = openPostgresSource({ url: server.url(), label: "it's a label" });
    let written = 0;
    const stored = await writeEntries(source.entries(), dir.join('data'), {
      onEntry: async (entry) => {
        if (entry.type !== 'file' || !entry.path.startsWith('base/') || written >= 5) return;
        written++;
        await server.sql(`INSERT INTO late SELECT ${written} FROM generate_series(1, 1000)`);
      },
    });
    assert.equal(stored.files.at(-1), 'global/pg_control');
    assert.ok(stored.files.some((file) => file.startsWith('pg_wal/')));
    const facts = await source.facts();
    const [identity] = await server.sql('SELECT system_identifier::text AS id FROM pg_control_system()');
    assert.equal(facts.systemIdentifier, identity?.id);
    assert.deepEqual(
      facts.tables.filter((table) => table.name === 'visits'),
      [{ schema: 'public', name: 'visits', rows: 20000, exact: true }],
    );
    assert.deepEqual(JSON.parse(JSON.stringify(facts)), facts);

    await using restored = await startPostgres({ major, dataDir: dir.join('data') });
    assert.equal(await count(restored, 'visits'), 20000);
    assert.equal(await count(restored, 'late'), 5000);
  });
}

for (const major of all.filter((major) => major !== 16)) {
  test(`PostgreSQL ${major}: tablespaces come back inside the data directory, and can be backed up again from there`, async () => {
    await using server = await startPostgres({ major });
    await using space = await tempDir({ open: true });
    await mkdir(space.join('ts'), { mode: 0o700 });
    if (account) await giveTo(account, space.join('ts'));
    await server.sql(`CREATE TABLESPACE fast LOCATION '${space.join('ts')}'`);
    await server.sql(`CREATE TABLE hot TABLESPACE fast AS SELECT g AS id FROM generate_series(1, 5000) g`);
    await using dir = await tempDir({ open: true });
    const notices: SourceNotice[] = [];
    const source = openPostgresSource({ url: server.url(), label: 'spaces', notify: (notice) => notices.push(notice) });
    await writeEntries(source.entries(), dir.join('data'));
    assert.equal((await source.facts()).backup.tablespaces[0]?.location, space.join('ts'));
    assert.ok(notices.some((notice) => notice.reason.includes(space.join('ts'))));
    await server.stop('fast');
    await space.remove();

    await using restored = await startPostgres({ major, dataDir: dir.join('data') });
    assert.equal(await count(restored, 'hot'), 5000);
    await restored.sql('INSERT INTO hot VALUES (0)');

    const again = openPostgresSource({ url: restored.url(), label: 'again' });
    await writeEntries(again.entries(), dir.join('second'));
    await restored.stop('fast');
    await using second = await startPostgres({ major, dataDir: dir.join('second') });
    assert.equal(await count(second, 'hot'), 5001);
  });
}
