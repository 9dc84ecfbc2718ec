/** archive_command and restore_command with real servers: what was committed is back, and what is not proved is never taken for the end. */
import assert from 'node:assert/strict';
import { appendFile, readdir, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { SourceWalStatus } from '../../src/operations/wal-status.ts';
import { need } from '../support/needs.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { Restic } from '../support/restic.ts';
import { runOk } from '../support/run.ts';
import { until } from '../support/until.ts';
import { walWorld } from '../support/wal-world.ts';

const restic = await need('restic');

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
    const { archived, server: live, storages } = status as unknown as SourceWalStatus;
    assert.equal(archived?.last_commit, window!.to);
    assert.ok(typeof live?.lag_bytes === 'number' && live.lag_bytes >= 0, String(status.server_error));
    for (const { behind_bytes: behind, error } of Object.values(storages)) assert.deepEqual([behind, error], [0, null]);
    assert.deepEqual([status.gaps, status.missing_histories], [[], []]);
    assert.ok((status.loss as { seconds: number }).seconds < 60);
    await using copy = await world.recover('copy');
    await until(async () => (await copy.sql('select pg_is_in_recovery() as it'))[0]?.it === false);
    assert.equal((await copy.sql('select count(*)::int as n from t'))[0]?.n, 250);
  });
}

test('a restored copy that is started with archiving on changes nothing in the archive of its original', async () => {
  await using world = await walWorld(17);
  const { server, run } = world;
  await world.archive();
  await world.finishSegment();
  await run(['backup']);
  await server.sql('create table t (n int)');
  await world.finishSegment();
  const archived = async () =>
    (await run(['wal', 'status', '--json'])).document<{ sources: { archived: unknown }[] }>();
  const before = (await archived()).sources[0]!.archived;
  await using stray = await world.recover('stray', { archive_mode: 'on' });
  await until(async () => (await stray.sql('select pg_is_in_recovery() as it'))[0]?.it === false);
  await stray.sql('create table mischief (n int); select pg_switch_wal()').catch(() => {});
  await until(async () => Number((await stray.sql('select failed_count as n from pg_stat_archiver'))[0]?.n) > 0);
  assert.deepEqual((await archived()).sources[0]!.archived, before);

  // nor does a prune of it: what was archived before the only base goes, and stays on record
  assert.match((await run(['prune'])).stdout, /a: \d+ pieces? of WAL \(.*\) removed: no kept base backup needs them/);
  assert.deepEqual((await archived()).sources[0]!.archived, before);
  const gone = /^.* {2}a: \d+ pieces? of WAL, up to 0\/[\dA-F]+ of timeline 1: no kept base backup needs it$/m;
  assert.match((await run(['prune', '--history'])).stdout, gone);
  const record = (await run(['prune', '--history', '--json'])).document<{ storage: string; wal_up_to: string }[]>();
  assert.deepEqual(record.map(({ storage }) => storage).sort(), ['a', 'b']);
});

test('restic and cp alone bring back what was committed, once the log is folded', { skip: restic.skip }, async () => {
  await using world = await walWorld(17);
  const { server, run, dir } = world;
  await server.sql('create table t (n int)');
  await run(['backup']);
  await server.sql('insert into t select generate_series(1, 300)');
  const [row] = await server.sql('select pg_walfile_name(pg_current_wal_insert_lsn()) as name, pg_switch_wal()');
  const last = String(row!.name);
  const names = (await readdir(`${server.dataDir}/pg_wal`)).filter((name) => name.length === 24 && name <= last).sort();
  for (const name of names) await run(['wal', 'push', `${server.dataDir}/pg_wal/${name}`]);
  const folded = await run(['wal', 'fold', '--now', '--json']);
  assert.equal(folded.summary?.segments, names.length);
  const judge = new Restic(dir.join('a'), 'the archive of a clinic');
  await judge.check();
  await judge.ok('restore', 'latest', '--tag', 'holdfast', '--target', dir.join('restic'));
  await judge.ok('restore', 'latest', '--tag', 'holdfast-wal', '--target', dir.join('restic'));
  await runOk('chmod', ['-R', 'a+rX', dir.join('restic', 'clinic', 'wal')]);
  await runOk('chmod', ['a+rx', dir.join('restic'), dir.join('restic', 'clinic')]);
  const dataDir = dir.join('restic', 'clinic', 'database');
  await writeFile(`${dataDir}/recovery.signal`, '');
  const command = `cp ${dir.join('restic', 'clinic', 'wal')}/*/%f %p`;
  await appendFile(`${dataDir}/postgresql.auto.conf`, `restore_command = '${command}'\narchive_mode = 'off'\n`);
  await using copy = await startPostgres({ major: 17, dataDir });
  await until(async () => (await copy.sql('select pg_is_in_recovery() as it'))[0]?.it === false);
  assert.equal((await copy.sql('select count(*)::int as n from t'))[0]?.n, 300);
});
