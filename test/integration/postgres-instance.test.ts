/** Servers that we start ourselves: they run as an ordinary account wherever their programs lie, say why they do not start, and stop. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { initialiseCluster } from '../../src/postgres/initialise.ts';
import { PostgresInstance } from '../../src/postgres/instance.ts';
import { findPrograms, programsFor, programsReadableBy } from '../../src/postgres/programs.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { tempDir } from '../support/temp.ts';

const major = (await majors()).at(-1) ?? 18;
const account = serverAccount();

test('programs are found with their versions, one installation per major', async () => {
  const found = await findPrograms({ path: process.env.PATH });
  assert.ok(found.every((programs) => programs.version.startsWith(`${programs.major}.`)));
  assert.deepEqual(
    found.map((programs) => programs.major),
    [...new Set(found.map((programs) => programs.major))].sort((a, b) => a - b),
  );
});

test('a major version that is not here is refused with what to install', async () => {
  await assert.rejects(programsFor(11), (error) => {
    assert.ok(isFailure(error, 'postgres_program_missing'));
    assert.match(error.hint ?? '', /postgresql-11/);
    return true;
  });
});

test('a configured directory wins over all others', async () => {
  const programs = await programsFor(major, { path: process.env.PATH });
  await using dir = await tempDir({ open: true });
  await symlink(programs.bin, dir.join('bin'));
  assert.equal((await programsFor(major, { directories: [dir.join('bin')] })).bin, dir.join('bin'));
});

test('programs in a directory that only root can read run from a readable copy', {
  skip: account === undefined,
}, async () => {
  const programs = await programsFor(major);
  await using dir = await tempDir({ prefix: 'hf-closed' });
  await mkdir(dir.join('secret'));
  await cp(dirname(programs.bin), dir.join('secret', 'native'), { recursive: true, verbatimSymlinks: true });
  await chmod(dir.join('secret'), 0o700);
  const closed = { ...programs, version: `${programs.version}-test`, bin: dir.join('secret', 'native', 'bin') };
  const usable = await programsReadableBy(closed, account);
  assert.notEqual(usable.bin, closed.bin);
  assert.equal((await programsReadableBy(usable, account)).bin, usable.bin);
  await using place = await tempDir({ owner: account });
  await initialiseCluster({ programs: usable, dataDir: place.join('data'), account, sync: false });
  assert.equal((await readFile(place.join('data', 'PG_VERSION'), 'utf8')).trim(), String(major));
  await rm(dirname(usable.bin), { recursive: true });
});

test('a server that cannot start fails with the reason from its log', async () => {
  await using server = await startPostgres({ major });
  const { programs, dataDir } = server.instance;
  await server.instance.stop();
  await writeFile(join(dataDir, 'postgresql.auto.conf'), `shared_preload_libraries = 'no_such_library'\n`);
  await assert.rejects(PostgresInstance.start({ programs, dataDir, account }), (error) => {
    assert.ok(isFailure(error, 'postgres_start_failed'), String(error));
    assert.match(error.hint ?? '', /no_such_library/);
    return true;
  });
});

test('a disposed server is gone, with its socket directory', async () => {
  const server = await startPostgres({ major });
  const { pid, socketDir } = server.instance;
  assert.equal((await server.sql('SELECT 1 AS one'))[0]?.one, 1);
  await server[Symbol.asyncDispose]();
  assert.equal(server.instance.running, false);
  assert.throws(() => process.kill(pid ?? 0, 0));
  await assert.rejects(stat(socketDir));
});

test('a server ends when the process that started it is killed', async () => {
  const support = new URL('../support/postgres/server.ts', import.meta.url);
  const script = `const { startPostgres } = await import(${JSON.stringify(support.href)});
    const server = await startPostgres({ major: ${major} });
    console.log(JSON.stringify([server.instance.pid, server.instance.socketDir, server.directory.path]));
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const [pid, ...directories] = JSON.parse(line.toString('utf8')) as [number, string, string];
  process.kill(pid, 0);
  child.kill('SIGKILL');
  await gone(pid);
  for (const directory of directories) await rm(directory, { recursive: true, force: true, maxRetries: 3 });
});

async function gone(pid: number): Promise<void> {
  for (let tries = 0; tries < 6000; tries++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`process ${pid} still runs`);
}
