/** The commands that run before and after a backup. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runHook } from '../../src/operations/hooks.ts';
import { tempDir } from '../support/temp.ts';
import { backupApp } from './fixtures/backup-app.ts';

const say = (word: string) => ['sh', '-c', `echo ${word} >> log`];

test('they run before and after, in the directory of the configuration', async () => {
  await using app = await backupApp({
    local: ['a'],
    app: {
      hooks: { beforeBackup: ['sh', '-c', 'echo before >> log; echo dumped > media/dump'], afterBackup: say('after') },
    },
  });
  const { sources } = await app.backUp();
  assert.equal(sources.media?.files_new, 1, 'what the first one made is in the point');
  assert.equal(await readFile(app.dir.join('log'), 'utf8'), 'before\nafter\n');
});

test('when the first one fails there is no backup, the command ends with 1 and says what the hook said, and the second one runs', async () => {
  await using app = await backupApp({
    local: ['a'],
    app: { hooks: { beforeBackup: ['sh', '-c', 'echo no room >&2; exit 7'], afterBackup: say('after') } },
  });
  const { code, error } = await app.run(['backup', '--json']);
  assert.deepEqual([code, error?.error], [1, 'hook_failed']);
  assert.match(String(error?.message), /beforeBackup \(sh\) ended with status 7.*no room/);
  assert.equal(await readFile(app.dir.join('log'), 'utf8'), 'after\n');
  assert.deepEqual((await app.ok(['points', '--json'])).document(), []);
});

test('when only the second one fails the command fails and says that the point was made', async () => {
  await using app = await backupApp({ local: ['a'], app: { hooks: { afterBackup: ['false'] } } });
  await writeFile(join(app.media, 'x'), 'x');
  const { code, error } = await app.run(['backup', '--json']);
  assert.deepEqual([code, error?.error], [1, 'hook_failed']);
  assert.match(String(error?.message), /^The restore point [0-9a-f]{8} was made\. The hook afterBackup/);
  assert.equal((await app.ok(['points', '--json'])).document<unknown[]>().length, 1);
});

test('a program that is not there is told as such', async () => {
  await using app = await backupApp({ local: ['a'], app: { hooks: { beforeBackup: ['no-such-program'] } } });
  const { code, error } = await app.run(['backup', '--json']);
  assert.deepEqual([code, error?.error], [1, 'hook_failed']);
  assert.match(String(error?.message), /could not be started/);
});

test('what a hook leaves running in the background does not hold it up', async () => {
  await using dir = await tempDir();
  const signal = new AbortController().signal;
  await runHook('test', ['sh', '-c', 'sleep 60 & echo $! > pid'], { directory: dir.path, signal });
  process.kill(Number(await readFile(dir.join('pid'), 'utf8')), 'SIGKILL');
});

test('a hook that takes too long is ended with everything it started', async () => {
  await using dir = await tempDir();
  const signal = new AbortController().signal;
  await assert.rejects(
    runHook('test', ['sh', '-c', 'sleep 60 & sleep 60'], { directory: dir.path, signal, timeout: 200 }),
    {
      code: 'hook_failed',
      message: /did not end within/,
    },
  );
});
