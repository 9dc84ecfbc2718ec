/** Extended attributes, with the real programs: read in walk order, restored, and said when it cannot be done. */
import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { SourceNotice } from '../../src/sources/entry.ts';
import { applyXattrs, openXattrReader, walkFiles, type Xattr } from '../../src/sources/files-source.ts';
import { need } from '../support/needs.ts';
import { run } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const attr = await need('setfattr');

type Found = Map<string, readonly Xattr[]>;

async function xattrsBelow(root: string): Promise<Found> {
  const found: Found = new Map();
  await using reader = await openXattrReader((notice) => assert.fail(notice.reason));
  for await (const batch of walkFiles({ root, xattrs: reader, notify: (notice) => assert.fail(notice.reason) })) {
    for (const entry of batch) {
      if (entry.type !== 'up' && entry.meta.xattrs !== undefined)
        found.set(entry.name.toString('latin1'), entry.meta.xattrs);
    }
  }
  return found;
}

function plain(found: Found) {
  return [...found].map(([name, xattrs]) => [
    name,
    xattrs.map((one) => `${one.name}=${Buffer.from(one.value).toString('hex')}`),
  ]);
}

/** Sets attributes whatever the file is called: `setfattr` takes the paths of a dump, which `printf` writes byte for byte. */
async function set(path: string, name: string, value: string): Promise<void> {
  const done = await run('setfattr', ['-h', '-n', name, '-v', value, '--', path]);
  assert.equal(done.code, 0, done.stderr);
}

test('attributes of files, directories and hostile names come back as they were', { skip: attr.skip }, async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('one/sub'), { recursive: true });
  await mkdir(dir.join('two/sub'), { recursive: true });
  const names = ['plain', 'new\nline', 'back\\slash', '=', '# file: x', '-n', 'é'];
  for (const root of ['one', 'two']) for (const name of names) await writeFile(dir.join(root, name), '');
  for (const name of names) await set(dir.join('one', name), 'user.name', `0x${Buffer.from(name).toString('hex')}`);
  await set(dir.join('one/sub'), 'user.empty', '');
  await set(dir.join('one/plain'), 'user.odd=name\n\\', '0x00ff0a');
  await writeFile(dir.join('one/none'), '');
  const found = await xattrsBelow(dir.join('one'));
  assert.equal(found.size, names.length + 1);
  assert.deepEqual(plain(new Map([['sub', found.get('sub')!]])), [['sub', ['user.empty=']]]);

  const list = [...found].map(([name, xattrs]) => ({
    path: Buffer.concat([Buffer.from(`${dir.path}/two/`), Buffer.from(name, 'latin1')]),
    xattrs,
  }));
  await applyXattrs(list, (notice) => assert.fail(notice.reason));
  assert.deepEqual(plain(await xattrsBelow(dir.join('two'))), plain(found));
});

test('attributes stay with their files over many thousands of them', { skip: attr.skip }, async () => {
  await using dir = await tempDir();
  const marked: string[] = [];
  for (let i = 0; i < 3000; i++) {
    const name = `${i}-${'x'.repeat(i % 200)}`;
    await writeFile(dir.join(name), '');
    if (i % 500 === 0) marked.push(name);
  }
  for (const name of marked) await set(dir.join(name), 'user.name', name);
  const found = await xattrsBelow(dir.path);
  assert.deepEqual([...found.keys()].sort(), [...marked].sort());
  for (const [name, [only]] of found) assert.equal(Buffer.from(only!.value).toString(), name);
});

test('a link that leads nowhere and a path that is gone have no attributes and disturb nobody', {
  skip: attr.skip,
}, async () => {
  await using dir = await tempDir();
  await symlink('nowhere', dir.join('link'));
  await writeFile(dir.join('file'), '');
  await set(dir.join('file'), 'user.a', 'b');
  await using reader = await openXattrReader((notice) => assert.fail(notice.reason));
  const found = await reader!.read(['link', 'gone', 'file'].map((name) => Buffer.from(dir.join(name))));
  assert.deepEqual(
    found.map((xattrs) => xattrs?.length),
    [undefined, undefined, 1],
  );
});

test('what cannot be set is told, and the rest is set', { skip: attr.skip }, async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('file'), '');
  const value = Buffer.from('v');
  const notices: SourceNotice[] = [];
  const list = [
    { path: Buffer.from(dir.join('gone')), xattrs: [{ name: 'user.a', value }] },
    {
      path: Buffer.from(dir.join('file')),
      xattrs: [
        { name: 'nonsense.b', value },
        { name: 'user.c', value },
      ],
    },
  ];
  await applyXattrs(list, (notice) => notices.push(notice));
  assert.deepEqual(plain(await xattrsBelow(dir.path)), [['file', ['user.c=76']]]);
  assert.ok(notices.length >= 2);
  assert.ok(notices.every((notice) => notice.kind === 'note'));
});
