/** A point as one file: what is exported comes back whole, by this program and by hand, and whatever is wrong with it is refused. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silent } from '../../src/base/progress.ts';
import { importPackage } from '../../src/operations/import-package.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { programsFor } from '../../src/postgres/programs.ts';
import { holdfast } from '../support/holdfast.ts';
import { majors, runSql, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { run, runOk } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

const available = await majors();
const major = available.at(-1)!;
const SECRET = 'correct-horse-battery';
const ODD = Buffer.from([0x62, 0xff, 0x0a, 0x5c, 0x2e]);

let pg: TestServer | undefined;
let world: BackupApp;
let packed: Buffer;
let small: Buffer;
let name: string;

before(async () => {
  pg = available.length === 0 ? undefined : await startPostgres({ major });
  await pg?.sql('create table patients (id int); insert into patients select generate_series(1, 1000)');
  world = await backupApp({
    ...{ local: ['a'], config: ['settings.env'] },
    ...(pg === undefined ? {} : { databaseUrl: pg.url() }),
  });
  await writeFile(world.dir.join('settings.env'), `DATABASE_PASSWORD=${SECRET}\nDEBUG=0\n`);
  await writeFile(join(world.media, 'scan.dcm'), Buffer.alloc(300_001, 7));
  await writeFile(join(world.media, 'empty'), '');
  await writeFile(Buffer.concat([Buffer.from(`${world.media}/`), ODD]), 'odd name');
  await mkdir(join(world.media, 'd'.repeat(120)), { mode: 0o750 });
  await writeFile(join(world.media, 'd'.repeat(120), 'f'.repeat(200)), 'long name');
  await chmod(join(world.media, 'empty'), 0o4755);
  await symlink('../outside', join(world.media, 'link'));
  await world.backUp();
  const { summary } = await world.ok(['export', world.dir.join('p.tar'), '--json']);
  packed = await readFile(world.dir.join('p.tar'));
  assert.equal(summary?.sha256, createHash('sha256').update(packed).digest('hex'));
  name = `clinic-${String(summary?.short_id)}`;
  await world.backUp(['--source', 'media']);
  const told = await world.ok(['export', world.dir.join('small.tar'), '--quiet']);
  assert.match(told.stderr, /holds media only, not [\s\S]*settings[\s\S]*--point/);
  small = await readFile(world.dir.join('small.tar'));
});

after(async () => {
  await world?.[Symbol.asyncDispose]();
  await pg?.[Symbol.asyncDispose]();
});

test('a package comes back as it was, and its database starts', async () => {
  const to = world.dir.join('back');
  const done = await holdfast(['import', world.dir.join('p.tar'), '--to', to, '--json'], { cwd: '/' });
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual([done.summary?.app, done.summary?.point], ['clinic', name.slice(-8)]);
  assert.equal((await run('diff', ['-r', '--no-dereference', world.media, join(to, 'media')])).stdout, '');
  const look = ['-c', '%n %a %U %Y', 'scan.dcm', 'd'.repeat(120)];
  const kept = await runOk('stat', look, { cwd: world.media });
  assert.equal((await runOk('stat', look, { cwd: join(to, 'media') })).stdout, kept.stdout);
  assert.equal((await stat(join(to, 'media', 'empty'))).mode & 0o7777, 0o755, 'no program of another account');
  assert.equal((await stat(to)).mode & 0o777, 0o711);
  await runOk('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: to });
  const again = await holdfast(['import', world.dir.join('p.tar'), '--target', to, '--json']);
  assert.equal(again.error?.error, 'target_exists');
  if (pg === undefined) return;
  await using restored = await startPostgres({ major, dataDir: join(to, 'database') });
  assert.deepEqual(await restored.sql('select count(*)::int n from patients'), [{ n: 1000 }]);
});

/** The lines of README.txt that are to be typed, after the one that needs Holdfast. */
function typed(page: string): readonly string[] {
  return [...page.matchAll(/^ {4}(\S.*)$/gm)].map(([, line]) => line!).filter((line) => !line.startsWith('holdfast '));
}

/** Starts what the line starts, looks into it, and stops it. */
async function assertStarts(line: string, dataDir: string, port: number): Promise<void> {
  const server = spawn('sh', ['-c', `exec ${line}`], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(server, 'exit');
  let said = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    await until(async () => server.exitCode !== null || said.includes('ready to accept connections'));
    assert.equal(server.exitCode, null, said);
    const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
    assert.deepEqual(await runSql(url, 'select count(*)::int n from patients'), [{ n: 1000 }]);
  } finally {
    if (server.exitCode === null) {
      const [pid] = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n');
      process.kill(Number(pid), 'SIGINT');
    }
    await ended;
  }
}

test('tar and sha256sum alone do as well, typed as README.txt says, the database starts, and no secret is in it', async () => {
  await using by = await tempDir({ open: true });
  const file = world.dir.join('p.tar');
  const readme = await runOk('tar', ['--extract', '--to-stdout', '--file', file, `${name}/README.txt`]);
  const account = serverAccount();
  const port = await freePort();
  // what stands for a place or a name on the reader's machine
  const mine: readonly (readonly [string, string])[] = [
    ['PACKAGE.tar', file],
    ['/restore', by.join('restore')],
    ['/var/lib/postgresql', by.path],
    [`/usr/lib/postgresql/${major}/bin`, (await programsFor(major, { path: process.env.PATH })).bin],
    ['postgres:postgres', account === undefined ? '' : `${account.uid}:${account.gid}`],
    ['5499', String(port)],
    ['head --bytes=N', `head --bytes=$(sed -n 's/^# the first \\([0-9]*\\) .*/\\1/p' SHA256SUMS)`],
  ];
  const lines = typed(readme.stdout).map((line) =>
    mine.reduce((text, [theirs, ours]) => text.replaceAll(theirs, ours), line),
  );
  const start = lines.find((line) => line.startsWith('su postgres'));
  const asked = lines.filter((line) => line !== start && (account !== undefined || !line.startsWith('chown')));
  const { stdout } = await runOk('sh', ['-e', '-c', asked.join('\n')]);
  if (start !== undefined && account?.name === 'postgres')
    await assertStarts(start, by.join('database-restored'), port);
  const dir = by.join('restore', name);
  assert.equal((await run('diff', ['-r', '--no-dereference', world.media, join(dir, 'media')])).stdout, '');
  const last = (await readFile(join(dir, 'SHA256SUMS'), 'utf8')).trim().split('\n').at(-1)!;
  const [, length, sum] = /^# the first (\d+) bytes of this archive: ([0-9a-f]{64})$/.exec(last)!;
  assert.equal(
    createHash('sha256')
      .update(packed.subarray(0, Number(length)))
      .digest('hex'),
    sum,
  );
  assert.equal(stdout, `${sum}  -\n`, 'the checksum of all of the archive before');
  assert.equal(start === undefined, pg === undefined);
  assert.ok(!packed.includes(SECRET));
  assert.equal((await stat(world.dir.join('p.tar'))).mode & 0o777, 0o600);
});

test('what is cut off, changed or prolonged is refused, and nothing of it is left', async () => {
  const at = small.indexOf('ustar', small.indexOf('scan.dcm'));
  const changed = (change: (bytes: Buffer) => void) => {
    const copy = Buffer.from(small);
    change(copy);
    return copy;
  };
  const cases: readonly (readonly [string, Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['no archive', Buffer.alloc(2048, 1)],
    ['an empty archive', Buffer.alloc(1024)],
    ['cut off in a file', small.subarray(0, at + 100_000)],
    ['cut off before the checksums', small.subarray(0, small.lastIndexOf('SHA256SUMS'))],
    ['a byte of a file', changed((bytes) => bytes.writeUInt8(9, at + 100_000))],
    ['a byte of a header', changed((bytes) => bytes.writeUInt8(0x31, at - 257 + 103))],
    ['a byte between members', changed((bytes) => bytes.writeUInt8(1, bytes.length - 1025))],
    ['a byte of the checksums', changed((bytes) => bytes.writeUInt8(0x61, bytes.lastIndexOf('  media/scan.dcm') - 3))],
    ['more after the end', Buffer.concat([small, Buffer.from('more')])],
    ['two archives', Buffer.concat([small, small])],
  ];
  const target = world.dir.join('wrong');
  const around = { clock: systemClock, signal: new AbortController().signal, progress: silent };
  for (const [what, bytes] of cases) {
    const from = (async function* () {
      for (let from = 0; from < bytes.length; from += 1_000_000) yield bytes.subarray(from, from + 1_000_000);
    })();
    const outcome = importPackage(around, { from, target, ownership: 'none' });
    await assert.rejects(outcome, { code: 'package_refused' }, what);
    await assert.rejects(readdir(target), what);
  }
  const stop = new AbortController();
  const stopped = (async function* () {
    yield small.subarray(0, at + 50_000);
    stop.abort(new DOMException('Stopped as asked.', 'AbortError'));
    yield small.subarray(at + 50_000);
  })();
  const interrupted = importPackage({ ...around, signal: stop.signal }, { from: stopped, target, ownership: 'none' });
  await assert.rejects(interrupted, { name: 'AbortError' });
  await assert.rejects(readdir(target), 'an interruption leaves nothing either');
  const file = world.dir.join('wrong.tar');
  await writeFile(file, small.subarray(0, 5_000));
  const { code, error } = await holdfast(['import', file, '--target', target, '--json']);
  assert.deepEqual([code, error?.error], [4, 'package_refused']);
});
