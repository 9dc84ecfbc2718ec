import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Failure, isFailure } from '../base/failure.ts';
import { resolveSecret } from './secrets.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-secrets-'));
});
after(() => rm(directory, { recursive: true }));

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(isFailure(error, 'secret_unavailable'), String(error));
  return error;
}

const world = (env: Record<string, string> = {}) => ({ env, directory });

test('an environment variable is taken as it is; one that is unset or empty is named', async () => {
  assert.equal(await resolveSecret({ env: 'KEY' }, 'x', world({ KEY: ' a b ' })), ' a b ');
  const failure = await failureOf(resolveSecret({ env: 'KEY' }, 'storages.r2.accessKeyId', world()));
  assert.equal(failure.message, 'storages.r2.accessKeyId: env KEY is not set.');
  assert.match((await failureOf(resolveSecret({ env: 'KEY' }, 'x', world({ KEY: '' })))).message, /is empty/);
});

test('a file gives its content as restic reads it: without blanks and line breaks at its ends, and without the mark of an editor', async () => {
  const written = [' se cret\t\r\n\n', '\ufeffse cret\n', Buffer.from('\ufeffse cret\r\n', 'utf16le')];
  for (const content of written) {
    await writeFile(join(directory, 'password'), content, { mode: 0o600 });
    assert.equal(await resolveSecret({ file: 'password' }, 'x', world()), 'se cret');
  }
});

test('a pipe is read once its writer says something; one that nobody writes to is empty, not waited for', async () => {
  const pipe = join(directory, 'pipe');
  execFileSync('mkfifo', ['-m', '600', pipe]);
  await failureOf(resolveSecret({ file: 'pipe' }, 'x', world()));
  const writer = await open(pipe, constants.O_RDWR);
  const resolved = resolveSecret({ file: 'pipe' }, 'x', world());
  await writer.write('secret\n');
  const reader = await open(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  await writer.close();
  assert.equal(await resolved, 'secret');
  await reader.close();
});

test('a file that everybody can read is used with a warning that gives the command', async () => {
  const path = join(directory, 'open');
  await writeFile(path, 'secret');
  await chmod(path, 0o644);
  const warnings: string[] = [];
  const onWarning = (message: string, hint: string) => void warnings.push(message, hint);
  assert.equal(await resolveSecret({ file: 'open' }, 'repository.password', { ...world(), onWarning }), 'secret');
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /everybody/);
  assert.match(warnings[1]!, /^Run: chmod o= '/);
  assert.ok(!warnings.join().includes('secret\n'));
});

test('a file that is missing, a directory, empty or huge is refused', async () => {
  await mkdir(join(directory, 'd'));
  await writeFile(join(directory, 'empty'), '\n');
  await writeFile(join(directory, 'huge'), Buffer.alloc(70_000, 65));
  await symlink('loop', join(directory, 'loop'));
  for (const file of ['none', 'd', 'empty', 'huge', 'loop']) await failureOf(resolveSecret({ file }, 'x', world()));
});

test('a command gives what it prints, run without a shell in the directory of the file', async () => {
  assert.equal(await resolveSecret({ command: ['/bin/echo', '$HOME;', '*'] }, 'x', world()), '$HOME; *');
  assert.equal(await resolveSecret({ command: ['/bin/pwd'] }, 'x', world()), directory);
  assert.equal(await resolveSecret({ command: ['/usr/bin/printenv', 'A'] }, 'x', world({ A: 'only' })), 'only');
});

test('a command that fails, hangs, floods or is not there is told, without what it printed', async () => {
  const shell = (script: string) => ({ command: ['/bin/sh', '-c', script] });
  const failed = await failureOf(resolveSecret(shell('echo s3cret; echo locked >&2; exit 3'), 'x', world()));
  assert.match(failed.message, /failed with status 3: locked/);
  assert.ok(!JSON.stringify({ ...failed, m: failed.message, c: failed.cause }).includes('s3cret'));
  const hung = await failureOf(resolveSecret(shell('exec sleep 60'), 'x', { ...world(), commandTimeout: 200 }));
  assert.match(hung.message, /did not end within/);
  assert.match((await failureOf(resolveSecret(shell('yes'), 'x', world()))).message, /more than a secret/);
  assert.match((await failureOf(resolveSecret({ command: ['/no/such'] }, 'x', world()))).message, /no such program/);
});

test('an interrupted command ends as an interruption', async () => {
  const reason = new DOMException('stop', 'AbortError');
  await assert.rejects(
    resolveSecret({ command: ['/bin/sleep', '60'] }, 'x', { ...world(), signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  );
});
