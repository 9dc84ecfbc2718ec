/** Passwords are added, listed, changed and removed on all storages; somebody is never locked out on the way. */
import assert from 'node:assert/strict';
import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { init, localStore } from '../support/care.ts';
import { holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const OLD = 'correct horse';
const NEW = 'battery staple ü';

async function repository(dir: TempDir): Promise<{ cwd: string }> {
  await mkdir(dir.join('media'));
  await writeFile(dir.join('media', 'a'), 'a');
  await writeFile(dir.join('password'), OLD, { mode: 0o600 });
  await writeFile(dir.join('new-password'), `${NEW}\n`, { mode: 0o600 });
  await writeConfig(dir.path, {
    repository: { password: { file: 'password' } },
    storages: { one: { type: 'local', path: 'one' }, two: { type: 'local', path: 'two' } },
    apps: { clinic: { sources: { media: { type: 'files', path: 'media' } } } },
  });
  await init([localStore(dir, 'one'), localStore(dir, 'two')], OLD);
  await holdfastOk(['backup'], { cwd: dir.path });
  return { cwd: dir.path };
}

async function opens(dir: TempDir, storage: string, password: string): Promise<boolean> {
  return (await new Restic(dir.join(storage), password).run('snapshots')).code === 0;
}

test('a second password opens every storage, is listed, and can be taken back', async () => {
  await need('restic');
  await using dir = await tempDir();
  const options = await repository(dir);
  const added = await holdfastOk(['key', 'add', '--new-password-file', 'new-password', '--json'], options);
  for (const storage of ['one', 'two']) assert.ok(await opens(dir, storage, NEW), storage);

  const keys = (await holdfastOk(['key', 'list', '--json'], options)).document<
    { id: string; in_use: boolean; storages: string[] }[]
  >();
  assert.equal(keys.length, 2);
  assert.deepEqual(
    keys.map(({ storages }) => storages),
    [
      ['one', 'two'],
      ['one', 'two'],
    ],
  );
  assert.equal(keys.find(({ in_use }) => in_use)?.id === added.summary?.key, false);

  await holdfastOk(['key', 'remove', String(added.summary?.key).slice(0, 10)], options);
  for (const storage of ['one', 'two']) {
    assert.equal(await opens(dir, storage, NEW), false, storage);
    assert.ok(await opens(dir, storage, OLD), storage);
  }
});

test('passwd puts a new password in place of the old one, and sync does not bring the old one back', async () => {
  await need('restic');
  await using dir = await tempDir();
  const options = await repository(dir);
  await holdfastOk(['key', 'passwd', '--new-password-env', 'NEW'], { ...options, env: { NEW } });
  for (const storage of ['one', 'two']) {
    assert.ok(await opens(dir, storage, NEW), storage);
    assert.equal(await opens(dir, storage, OLD), false, storage);
  }
  assert.equal((await holdfast(['points'], options)).code, 12, 'the old password in the configuration');
  await writeFile(dir.join('password'), NEW);
  await holdfastOk(['sync'], options);
  assert.equal((await readdir(dir.join('one', 'keys'))).length, 1);
  await new Restic(dir.join('two'), NEW).check();
});

test('the key in use stays, an unknown key is refused, and no password is ever an argument', async () => {
  await using dir = await tempDir();
  const options = await repository(dir);
  const [key] = (await holdfastOk(['key', 'list', '--json'], options)).document<{ short_id: string }[]>();
  const refused = await holdfast(['key', 'remove', String(key?.short_id)], options);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /opened the repository with/);
  assert.equal((await holdfast(['key', 'remove', 'ffffffffffff'], options)).code, 2);
  assert.equal((await holdfast(['key', 'add'], options)).code, 2);
  assert.equal((await holdfast(['key', 'add', '--new-password-env', 'NOT_SET'], options)).code, 2);
});

test('with a storage away no key is changed anywhere', async () => {
  await using dir = await tempDir();
  const options = await repository(dir);
  await rename(dir.join('two'), dir.join('away'));
  const refused = await holdfast(['key', 'add', '--new-password-file', 'new-password'], options);
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /all storages or on none/);
  assert.equal((await readdir(dir.join('one', 'keys'))).length, 1);
});
