/** What restic wrote, restored by us and by restic itself: the same. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { link, mkdir, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { localStore, PASSWORD } from '../support/care.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { run } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';
import { assertSameTree, runRestore, treeOf } from './fixtures/restore-run.ts';

const restic = await need('restic', 'setfattr');

test(
  'hard links, symbolic links, odd names, sparse files, extended attributes: as restic restores them',
  restic,
  async () => {
    await using dir = await tempDir();
    const source = dir.join('source');
    await mkdir(`${source}/sub/deeper`, { recursive: true });
    await mkdir(`${source}/empty directory`);
    await writeFile(`${source}/large`, randomBytes(5 * 1024 * 1024));
    await link(`${source}/large`, `${source}/sub/same file`);
    await writeFile(`${source}/sparse`, 'begin');
    await truncate(`${source}/sparse`, 30 * 1024 * 1024);
    await writeFile(`${source}/nothing`, '');
    for (const name of ['new\nline', 'quo"te', 'back\\slash', 'tab\t', 'ünï', '\u2028', '-rf', ' space ', '\u007f']) {
      await writeFile(`${source}/sub/${name}`, name);
    }
    await writeFile(Buffer.concat([Buffer.from(`${source}/sub/`), Buffer.from([0x80, 0xc3, 0x28])]), 'bytes');
    for (let i = 0; i < 50; i++) await writeFile(`${source}/sub/deeper/${i}`, randomBytes(i * 100));
    await symlink('../large', `${source}/sub/link`);
    await symlink('/nowhere', `${source}/broken`);
    await utimes(`${source}/sub/deeper/1`, 1, -86400.5);
    await run('setfattr', ['-n', 'user.origin', '-v', 'scanner 7', `${source}/large`]);

    const repository = new Restic(dir.join('a'), PASSWORD);
    await repository.init();
    await repository.backup([source]);
    await repository.restore('latest', dir.join('theirs'));
    await runRestore({ stores: [localStore(dir, 'a')], target: dir.join('ours'), input: { app: undefined } });
    const theirs = await treeOf(`${dir.join('theirs')}${source}`);
    assertSameTree(await treeOf(`${dir.join('ours')}${source}`), theirs);
    assert.ok(theirs.size > 60);
    const read = async (root: string) =>
      (await run('getfattr', ['--only-values', '-n', 'user.origin', `${dir.join(root)}${source}/large`])).stdout;
    assert.equal(await read('ours'), await read('theirs'));
  },
);
