/** The WAL stream against real servers: every byte that is stored is the server's, through restarts of either side. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { archived, assertSameAsServer, MIB, serverEnd, walPlace } from '../support/wal-stream.ts';

const all = (await majors()).filter((major) => major !== 16);
const newest = all.at(-1) ?? 18;

const WORK = `INSERT INTO t SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, 8000) g`;

for (const [major, walSegmentMiB] of [
  ...all.map((major) => [major, 16] as const),
  ...([1, 64] as const).map((size) => [newest, size] as const),
]) {
  test(`PostgreSQL ${major}, segments of ${walSegmentMiB} MiB: every stored byte is the server's`, async () => {
    await using server = await startPostgres({ major, walSegmentMiB, settings: { max_wal_size: '1GB' } });
    await using place = await walPlace();
    await server.sql('CREATE TABLE t (id int, body text)');
    await using stream = place.start(server.url());
    await stream.until('it streams', ({ status }) => status === 'streaming');
    for (let i = 0; i < 2; i++) await server.sql(WORK);
    await stream.stored(await serverEnd(server));
    await server.sql(`SELECT pg_switch_wal(); ${WORK}`);
    const end = await serverEnd(server);
    const state = await stream.stored(end);
    const { received, stored, gaps, systemIdentifier } = await stream.stop();
    assert.ok(received >= end && stored >= end);
    assert.equal(gaps, 0);
    for (const mask of [1, 2]) {
      const held = await archived(place.repository, systemIdentifier, mask);
      assert.equal(held.spans.length, 1, 'no hole');
      assert.ok((await assertSameAsServer(held, server.dataDir)) > 8 * MIB);
      assert.ok(held.spans[0]!.lastCommit !== undefined);
    }
    assert.equal(state.timeline, 1);
    assert.ok((await readdir(join(place.spool, 'wal'))).length <= 2, 'what is stored leaves the spool');
  });
}
