/** The recovery kit, tried: its own commands restore the app with nothing but restic and PostgreSQL. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { serverAccount } from '../../src/postgres/account.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { programsFor } from '../../src/postgres/programs.ts';
import { PASSWORD } from '../support/care.ts';
import { holdfast } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { killGroup, runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';
import { describeTree } from './fixtures/backup-compare.ts';

const restic = await need('restic');
const available = await majors();

/** The lines of commands under a heading of the text form. */
function commandsUnder(kit: string, heading: RegExp): string[] {
  const lines = kit.split('\n');
  const start = lines.findIndex((line, i) => heading.test(line) && /^-+$/.test(lines[i + 1] ?? ''));
  assert.ok(start >= 0, `no section ${heading}`);
  const end = lines.findIndex((line, i) => i > start + 1 && /^-+$/.test(line) && line.length > 3);
  return lines
    .slice(start + 2, end < 0 ? undefined : end - 1)
    .flatMap((line) => (line.startsWith('    ') ? [line.slice(4)] : []));
}

test('its text brings the app back without Holdfast: files as they were, and a database with what was committed after the point', {
  skip: restic.skip || (serverAccount() === undefined && 'needs root, to start a server as another user'),
}, async () => {
  const major = available[0]!;
  await using pg = await startPostgres({ major });
  await pg.sql('create table patients as select generate_series(1, 1234) id');
  await using app = await backupApp({ databaseUrl: pg.url(), local: ['a', 'b'] });
  await archiveLog(app);
  await fillMedia(app.media);
  await app.ok(['backup', '--quiet']);
  await pg.sql('insert into patients values (1235)');
  await foldLog(app, pg);
  const kit = (await app.ok(['kit'])).stdout;
  assert.ok(!kit.includes(PASSWORD));
  assert.match(kit, /^ {4}holdfast --app clinic restore --at latest --to \/restore\/clinic$/m, 'not only the point');

  await using place = await tempDir({ open: true });
  const [target, passwordFile, port] = [place.join('restore'), place.join('password'), await freePort()];
  const account = serverAccount()!;
  const programs = await programsFor(major, { path: process.env.PATH });
  const here = (line: string) =>
    line
      .replaceAll('/root/repository-password', passwordFile)
      .replaceAll('/root/holdfast.yaml', place.join('holdfast.yaml'))
      .replaceAll('THE-PASSWORD', PASSWORD)
      .replaceAll(/(^|[\s:=])\/restore/g, `$1${target}`)
      .replaceAll('postgres:postgres', `${account.uid}:${account.gid}`)
      .replaceAll(`/usr/lib/postgresql/${major}/bin/postgres`, join(programs.bin, 'postgres'))
      .replaceAll('5499', String(port));
  const password = commandsUnder(kit, /^The password$/).map(here);
  const commands = commandsUnder(kit, /^Restore "clinic" without Holdfast$/)
    .filter(
      (line, i, all) =>
        !line.startsWith('export RESTIC_REPOSITORY') ||
        all.findIndex((other) => other.startsWith('export RESTIC_REPOSITORY')) === i,
    )
    .map(here);
  const further = commandsUnder(kit, /^Go on from the point of "clinic" to a later moment, without Holdfast$/).map(
    here,
  );
  const start = commands.findIndex((line) => line.startsWith('su postgres'));
  assert.ok(start > 0, commands.join('\n'));
  const lines = commandsUnder(kit, /^A configuration for Holdfast$/).map(here);
  const configuration = lines.slice(
    0,
    lines.findIndex((line) => line.startsWith('export HOLDFAST_CONFIG')),
  );
  const script = ['umask 022', ...password, ...configuration, ...commands.slice(0, start), ...further];
  await runOk('sh', ['-e', '-c', script.join('\n')]);
  assert.deepEqual(await describeTree(join(target, 'clinic', 'media')), await describeTree(app.media));
  const points = await holdfast(['--config', place.join('holdfast.yaml'), '--app', 'clinic', 'points', '--json']);
  assert.equal(points.document<unknown[]>().length, 1, points.stderr);

  const line = /^su postgres -c "(.*)"$/.exec(commands[start]!)?.[1];
  const server = spawn(
    'sh',
    ['-c', `exec ${line?.replace('-k /tmp', `-k ${target}/clinic/database`)} -c listen_addresses=127.0.0.1`],
    {
      uid: account.uid,
      gid: account.gid,
      detached: true,
      stdio: 'ignore',
      cwd: '/',
    },
  );
  try {
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    const query = 'select count(*)::int n, pg_is_in_recovery() recovering from patients';
    let row: Record<string, unknown> | undefined;
    while (row?.recovering !== false && server.exitCode === null) {
      [row] = await runSql(url, query).catch(() => [undefined]);
      await sleep(50);
    }
    assert.deepEqual(row, { n: 1235, recovering: false });
  } finally {
    killGroup(server.pid, 'SIGINT');
    if (server.exitCode === null) await once(server, 'exit');
  }
});

async function archiveLog({ configFile }: BackupApp): Promise<void> {
  const config = parse(await readFile(configFile, 'utf8'));
  config.apps.clinic.sources.database.wal = 'push';
  await writeFile(configFile, stringify(config));
}

/** Archives every segment up to now, and folds them into a snapshot: it is newer than the point, and is no point. */
async function foldLog(app: BackupApp, pg: TestServer): Promise<void> {
  const [row] = await pg.sql('select pg_walfile_name(pg_current_wal_insert_lsn()) as name, pg_switch_wal()');
  const names = await readdir(join(pg.dataDir, 'pg_wal'));
  for (const name of names.filter((each) => each.length === 24 && each <= String(row?.name)).sort())
    await app.ok(['wal', 'push', join(pg.dataDir, 'pg_wal', name)]);
  await app.ok(['wal', 'fold', '--now', '--quiet']);
}

test('the page for the printer is well formed, keeps to itself, and has the password only when asked', async () => {
  await using app = await backupApp({ local: ['a'] });
  const file = app.dir.join('kit.html');
  await app.ok(['kit', '--format', 'html', '--output', file]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const page = await readFile(file, 'utf8');
  assert.match(page, /^<!doctype html>\n<html lang="en">/);
  assert.ok(!page.includes(PASSWORD));
  assert.ok(
    page.includes(`${app.configFile}, line `),
    'where the password is kept, for somebody who reads it elsewhere',
  );
  assert.doesNotMatch(page, /<(script|link|img)|src=|href=|https?:\/\/(?!s3)/);
  const open: string[] = [];
  for (const [, slash, tag] of page.replace(/<style>[\s\S]*?<\/style>/, '').matchAll(/<(\/?)([a-z0-9]+)[^>]*>/g)) {
    if (tag === 'meta') continue;
    if (slash === '') open.push(tag!);
    else assert.equal(open.pop(), tag);
  }
  assert.deepEqual(open, []);
  assert.ok((await app.ok(['kit', '--with-password', '--format', 'html'])).stdout.includes(PASSWORD));
});

test('a kit file that exists already is readable by its owner only afterwards', async () => {
  await using app = await backupApp({ local: ['a'] });
  const file = app.dir.join('kit.txt');
  await writeFile(file, 'old', { mode: 0o644 });
  await app.ok(['kit', '--with-password', '--output', file]);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok((await readFile(file, 'utf8')).includes(PASSWORD));
});
