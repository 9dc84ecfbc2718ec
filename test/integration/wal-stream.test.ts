/** The WAL stream against real servers: every byte that is stored is the server's, through restarts of either side. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { walStream } from '../../src/operations/wal-stream.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { readStreamState } from '../../src/wal/stream-state.ts';
import { openSession, PASSWORD } from '../support/care.ts';
import { HOLDFAST, writeConfig } from '../support/holdfast.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { until } from '../support/until.ts';
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
    await using stream = place.start(server.url(), { slotCheckMs: 200 });
    await stream.until('it streams', ({ status }) => status === 'streaming');
    for (let i = 0; i < 2; i++) await server.sql(WORK);
    await stream.stored(await serverEnd(server));
    await server.sql(`SELECT pg_switch_wal(); ${WORK}`);
    const end = await serverEnd(server);
    const state = await stream.stored(end);
    const seen = systemClock.now();
    const { commitsEnd } = await stream.until('it is level', ({ level }) => level !== null && level >= seen);
    assert.ok(commitsEnd !== null && parseLsn(commitsEnd) <= end, 'the last commit is known by its place');
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

test('the stream folds by itself: not while somebody holds the storages, and without a hole for what goes on', async (t) => {
  await using server = await startPostgres({ major: newest, walSegmentMiB: 1 });
  await using place = await walPlace({ storages: 1 });
  await server.sql('CREATE TABLE t (id int, body text)');
  const session = await openSession(place.stores);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const said: string[] = [];
  const exclusive = await session.repository.lock(true);
  const wal = {
    mode: 'stream',
    spool: place.spool,
    flushEvery: 200,
    acknowledge: 'spool',
    foldAfter: 0,
    baseAfterGap: true,
  } as const;
  const config = await writeConfig(place.dir.path, {
    repository: { password: PASSWORD },
    storages: { a: { type: 'local', path: place.dir.join('a') } },
    apps: {
      clinic: {
        sources: {
          database: { type: 'postgres', url: server.url(), wal: { ...wal, flushEvery: '1s', foldAfter: '0s' } },
        },
      },
    },
  });
  const limits = { spoolLimit: 64 * MIB, slotLimit: 64 * MIB };
  const streaming = walStream(
    { ...session, signal: stop.signal, progress: (event) => void ('message' in event && said.push(event.message)) },
    {
      ...{ app: 'clinic', requiredCopies: 1 },
      own: { program: [HOLDFAST, '--config', config, '--app', 'clinic'], environment: process.env },
      foldEvery: 100,
      source: { type: 'postgres', name: 'database', url: server.url(), wal: { ...wal, ...limits } },
    },
  );
  await server.sql(WORK);
  await until(async () => said.some((message) => /not folded.*locked/i.test(message)));
  await exclusive.release();
  await server.sql(WORK);
  await until(async () => said.some((message) => /segments of WAL folded/.test(message)));
  const end = await serverEnd(server);
  await until(async () => parseLsn((await readStreamState(place.spool))?.storages.a?.stored ?? '0/0') >= end);
  stop.abort();
  const { systemIdentifier, gaps } = await streaming;
  const held = await archived(place.repository, systemIdentifier);
  assert.deepEqual([gaps, held.spans.length], [0, 1]);
  assert.ok(held.inventory.pieces.some(({ folded }) => folded));
  assert.ok((await assertSameAsServer(held, server.dataDir)) > 4 * MIB);
});
