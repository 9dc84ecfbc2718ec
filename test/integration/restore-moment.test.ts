/** The command `restore --at`: a directory that starts as the database was, files of the point before it, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatMicroseconds } from '../../src/base/relative-time.ts';
import type { RestoreMomentOutcome } from '../../src/operations/restore-moment.ts';
import { formatLsn } from '../../src/postgres/lsn.ts';
import { localStore, open } from '../support/care.ts';
import { archiveLog, commitRows, KNOWING } from '../support/postgres/moments.ts';
import { majors, runSql, startPostgres } from '../support/postgres/server.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';
import { rowsIn } from './fixtures/moment-world.ts';

const available = (await majors()).filter((major) => major !== 16);
const newest = available.at(-1)!;
const middle = available.at(-2) ?? newest;
const oldest = available[0]!;

test('restore --at: the database at the moment, the files of the point before it, nothing that archives', async () => {
  await using pg = await startPostgres({ major: newest, settings: KNOWING });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'] });
  await pg.sql("alter system set archive_command = 'false'");
  await commitRows(pg, 1, 2);
  await writeFile(join(app.media, 'file'), 'before');
  const made = await app.backUp();
  const [, four] = await commitRows(pg, 3, 6);
  await pg.sql("select pg_create_restore_point('before the second')");
  await writeFile(join(app.media, 'file'), 'after');
  const second = await app.backUp();
  await archive(app, pg);

  const at = ['restore', '--at', formatMicroseconds(four!.time), '--json'];
  const out = app.dir.join('out');
  const planned = await app.ok([...at, '--to', out, '--dry-run']);
  assert.equal((planned.summary as unknown as RestoreMomentOutcome).moment.replayed, false);
  assert.equal(existsSync(out), false);
  const others = [
    [['--lsn', formatLsn(four!.end)], made],
    [['--xid', String(four!.xid)], made],
    [['--name', 'before the second'], made],
    [['--immediate'], second],
  ] as const;
  for (const [moment, { point }] of others) {
    const { summary } = await app.ok(['restore', ...moment, '--to', out, '--dry-run', '--json']);
    assert.equal((summary as unknown as RestoreMomentOutcome).moment.base, point, moment.join(' '));
  }

  const { summary } = await app.ok([...at, '--to', out]);
  const outcome = summary as unknown as RestoreMomentOutcome;
  assert.equal(outcome.moment.reached_time, formatMicroseconds(four!.time));
  assert.deepEqual([outcome.moment.base, outcome.files_from?.point], [made.point, made.point]);
  assert.ok(outcome.files_from!.seconds_before! > 0);
  assert.ok(outcome.moment.wal_segments >= 1 && outcome.moment.wal_bytes > 0 && outcome.moment.replay_s > 0);
  assert.equal(await readFile(join(out, 'media', 'file'), 'utf8'), 'before');
  assert.deepEqual((await readdir(out)).sort(), ['database', 'media']);
  const data = join(out, 'database');
  for (const name of ['recovery.signal', 'postmaster.pid']) assert.equal(existsSync(join(data, name)), false, name);
  assert.match(
    await readFile(join(data, 'postgresql.auto.conf'), 'utf8'),
    /archive_command = 'false'[\s\S]*archive_mode = 'off'/,
  );
  await using restored = await startPostgres({ major: newest, dataDir: data });
  assert.deepEqual(await rowsIn(restored.url()), [1, 2, 3, 4]);
  assert.deepEqual(await runSql(restored.url(), 'show archive_mode'), [{ archive_mode: 'off' }]);
});

test('restore to a moment: what contradicts itself is refused, and a moment out of reach ends with 5 and the nearest', async () => {
  await using pg = await startPostgres({ major: newest, settings: KNOWING });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a', 'b'], here: true });
  const made = await app.backUp();
  const [one] = await commitRows(pg, 1, 1);
  await archive(app, pg);
  const to = ['--to', app.dir.join('out')];
  for (const args of [
    ['restore', 'latest', '--at', '10m ago', ...to],
    ['restore', '--at', '10m ago', '--lsn', '0/1', ...to],
    ['restore', ...to],
    ['restore', 'latest', '--timeline', '2', ...to],
    ['restore', '--at', 'latest', '--path', 'x', ...to],
    ['restore', '--at', '2026-01-01T00:00:00', ...to],
    ['restore', '--lsn', 'here', ...to],
    ['restore', '--at', 'latest', '--no-replay', '--in-place', '--confirm', 'clinic'],
  ]) {
    const refused = await app.run(args);
    assert.equal(refused.code, 2, `${args.join(' ')}: ${refused.stderr}`);
  }
  const early = await app.run(['restore', '--at', '2020-01-01T00:00:00Z', ...to, '--json']);
  assert.equal(early.code, 5);
  assert.match(String(early.error?.hint), new RegExp(`holdfast restore ${made.short_id}`));
  await rm(app.dir.join('b'), { recursive: true });
  const late = await app.run(['restore', '--at', formatMicroseconds(one!.time + 1n), ...to, '--json']);
  assert.equal(late.code, 5);
  assert.ok(String(late.error?.hint).includes(formatMicroseconds(one!.time)));
  assert.equal(late.lines.filter(({ storage }) => storage === 'b').length, 1, 'a storage that is away is told once');
  assert.equal(existsSync(app.dir.join('out')), false, 'nothing was written');
  const plain = await app.ok(['restore', 'latest', ...to, '--dry-run']);
  assert.match(
    plain.stdout + plain.stderr,
    /database: as of the point\. .* "holdfast restore --at latest" .* or --lsn 0\/[\dA-F]+ for this very state/,
  );
});

test('restore --at in place: the directory is made and recovered beside the old one, then swapped; archiving stays on', async () => {
  await using pg = await startPostgres({ major: middle, settings: KNOWING });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  const made = await app.backUp();
  await app.backUp(['--source', 'media']);
  const [one] = await commitRows(pg, 1, 3);
  await archive(app, pg);
  const data = pg.dataDir;
  await pg.instance.stop('fast');
  const inPlace = [
    'restore',
    made.short_id,
    '--source',
    'database',
    '--in-place',
    '--data-directory',
    data,
    '--dry-run',
  ];
  assert.match((await app.ok(inPlace)).stderr, /Warning: database goes on with timeline 1/);
  const whole = await app.ok(['restore', '--at', formatMicroseconds(one!.time), '--in-place', '--dry-run', '--json']);
  assert.deepEqual(
    (whole.summary as unknown as RestoreMomentOutcome).sources,
    ['media', 'database'],
    'the newest point before the moment holds files only',
  );
  const done = await app.ok([
    ...['restore', '--at', formatMicroseconds(one!.time), '--source', 'database', '--in-place'],
    ...['--confirm', 'database', '--data-directory', data, '--json'],
  ]);
  const outcome = done.summary as unknown as RestoreMomentOutcome & { way_back: string[] };
  assert.equal(outcome.moment.reached_time, formatMicroseconds(one!.time));
  assert.ok(outcome.way_back.length > 0);
  assert.doesNotMatch(await readFile(join(data, 'postgresql.auto.conf'), 'utf8'), /archive_mode/);
  await using again = await startPostgres({ major: middle, dataDir: data });
  assert.deepEqual(await rowsIn(again.url()), [1]);
});

test('restore --at --no-replay: the directory recovers to the moment when it is started', async () => {
  await using pg = await startPostgres({ major: oldest, settings: KNOWING });
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a'], here: true });
  await app.backUp();
  const [, two] = await commitRows(pg, 1, 3);
  await archive(app, pg);
  const at = ['restore', '--at', formatMicroseconds(two!.time), '--source', 'database', '--no-replay'];
  const { stdout } = await app.ok([...at, '--to', app.dir.join('out')]);
  const data = app.dir.join('out', 'database');
  assert.match(stdout, /postgres -D .*out\/database/);
  assert.equal(existsSync(join(data, 'recovery.signal')), true);
  const written = await readFile(join(data, 'postgresql.auto.conf'), 'utf8');
  assert.match(written, /restore_command = 'holdfast --config .* wal fetch %f %p'/);
  assert.match(written, /recovery_target_lsn = '[\dA-F]+\/[\dA-F]+'/);
});

async function archive(app: BackupApp, pg: Parameters<typeof archiveLog>[1]): Promise<void> {
  const repository = await open([localStore(app.dir, 'a')]);
  await archiveLog(repository, pg);
  await repository.close();
}
