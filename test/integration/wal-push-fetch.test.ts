/** archive_command and restore_command with real servers: what was committed is back, and what is not proved is never taken for the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { majors } from '../support/postgres/server.ts';
import { until, walWorld } from '../support/wal-world.ts';

for (const major of await majors()) {
  if (major === 16) continue;
  test(`PostgreSQL ${major}: what was committed after the base backup is back`, async () => {
    await using world = await walWorld(major);
    const { server, run } = world;
    await world.archive();
    await server.sql('create table t (n int); insert into t select generate_series(1, 100)');
    await run(['backup']);
    await server.sql('insert into t select generate_series(101, 200)');
    await world.finishSegment();
    await server.sql('insert into t select generate_series(201, 250)');
    const last = await world.finishSegment();
    const again = await run(['wal', 'push', `${server.dataDir}/pg_wal/${last}`, '--json']);
    assert.equal(again.summary?.bytes, 0);
    const status = (await run(['wal', 'status', '--json'])).document<{ sources: Record<string, unknown>[] }>()
      .sources[0]!;
    const [window] = status.windows as { from: string; to: string; to_lsn: string }[];
    assert.equal((status.windows as unknown[]).length, 1);
    assert.ok(window!.from < window!.to);
    assert.deepEqual([status.gaps, status.missing_histories], [[], []]);
    assert.ok((status.loss as { seconds: number }).seconds < 60);
    await using copy = await world.recover('copy');
    await until(async () => (await copy.sql('select pg_is_in_recovery() as it'))[0]?.it === false);
    assert.equal((await copy.sql('select count(*)::int as n from t'))[0]?.n, 250);
  });
}
