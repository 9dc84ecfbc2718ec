/** The files source on a real file system: what is kept, in which order, and what is only told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { link, mkdir, readFile, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import type { Entry, SourceNotice } from '../../src/sources/entry.ts';
import { rootDirectory, type WalkOptions, walkFiles } from '../../src/sources/files-source.ts';
import { tempDir } from '../support/temp.ts';

type Walk = { entries: Entry[]; notices: SourceNotice[] };

async function walk(options: Omit<WalkOptions, 'notify'>): Promise<Walk> {
  const notices: SourceNotice[] = [];
  const entries: Entry[] = [];
  for await (const batch of walkFiles({ ...options, notify: (notice) => notices.push(notice) })) entries.push(...batch);
  return { entries, notices };
}

/** The walk as lines: directories end in a slash, names are byte strings. Asserts that `dir` and `up` are in pairs. */
function paths(entries: readonly Entry[]): string[] {
  const open: string[] = [];
  const lines: string[] = [];
  for (const entry of entries) {
    if (entry.type === 'up') assert.notEqual(open.pop(), undefined);
    else {
      const path = [...open, entry.name.toString('latin1')].join('/');
      lines.push(entry.type === 'dir' ? `${path}/` : path);
      if (entry.type === 'dir') open.push(entry.name.toString('latin1'));
    }
  }
  assert.deepEqual(open, []);
  return lines;
}

function file(entries: readonly Entry[], name: string) {
  const found = entries.find((entry) => entry.type === 'file' && entry.name.toString() === name);
  assert.equal(found?.type, 'file');
  return found;
}

test('an empty directory yields nothing', async () => {
  await using dir = await tempDir();
  assert.deepEqual(await walk({ root: dir.path }), { entries: [], notices: [] });
});

test('directories nest depth first, names in ascending byte order', async () => {
  await using dir = await tempDir();
  for (const name of ['b', 'a', 'B', 'a.txt', 'a-b', 'ä', '\u{1f600}', '\uffee']) await mkdir(dir.join(name));
  await writeFile(dir.join('a', 'z'), '');
  await mkdir(dir.join('a', 'm', 'n'), { recursive: true });
  const { entries } = await walk({ root: dir.path });
  const expected = ['B/', 'a/', 'a/m/', 'a/m/n/', 'a/z', 'a-b/', 'a.txt/', 'b/', 'ä/', '\uffee/', '\u{1f600}/'];
  assert.deepEqual(
    paths(entries),
    expected.map((path) => Buffer.from(path).toString('latin1')),
  );
});

test('metadata is what the system says, to the nanosecond', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('f'), 'hello', { mode: 0o640 });
  await utimes(dir.join('f'), 1_700_000_000.123, 1_700_000_000.456);
  const stats = await stat(dir.join('f'), { bigint: true });
  const { entries } = await walk({ root: dir.path });
  const found = file(entries, 'f');
  assert.equal(found.size, 5);
  assert.equal(found.meta.mode, 0o640);
  assert.equal(found.meta.mtimeNs, stats.mtimeNs);
  assert.equal(found.meta.ctimeNs, stats.ctimeNs);
  assert.equal(found.meta.inode, stats.ino);
  assert.equal(found.meta.deviceId, stats.dev);
  assert.equal(found.meta.uid, Number(stats.uid));
  assert.equal(found.meta.links, 1);
  if (stats.uid === 0n) assert.equal(found.meta.user, 'root');
  const root = await rootDirectory(dir.path);
  assert.equal(root.inode, (await stat(dir.path, { bigint: true })).ino);
});

test('a body names the file by its full path', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('x', 'y'), { recursive: true });
  await writeFile(dir.join('x', 'y', 'deep'), 'content');
  await writeFile(dir.join('z'), 'last');
  const { entries } = await walk({ root: `${dir.path}/./x/../` });
  for (const [name, content] of [
    ['deep', 'content'],
    ['z', 'last'],
  ] as const) {
    const { body } = file(entries, name);
    assert.equal(body.kind, 'path');
    assert.equal(await readFile(body.path, 'utf8'), content);
  }
});

test('hard links share inode and device, symbolic links keep their target, sparse files their size', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('one'), 'x');
  await link(dir.join('one'), dir.join('two'));
  await symlink('../no/such\ntarget', dir.join('dangling'));
  await symlink('/', dir.join('to-root'));
  await writeFile(dir.join('sparse'), '');
  await truncate(dir.join('sparse'), 20 * 2 ** 30);
  const { entries, notices } = await walk({ root: dir.path });
  const [one, two] = [file(entries, 'one'), file(entries, 'two')];
  assert.deepEqual([one.meta.links, two.meta.links], [2, 2]);
  assert.equal(one.meta.inode, two.meta.inode);
  const targets = entries.flatMap((entry) => (entry.type === 'symlink' ? [entry.target.toString()] : []));
  assert.deepEqual(targets, ['../no/such\ntarget', '/']);
  assert.equal(file(entries, 'sparse').size, 20 * 2 ** 30);
  assert.deepEqual(notices, []);
});

test('names may be any bytes', async () => {
  await using dir = await tempDir();
  const names = [
    '-rf',
    ' ',
    '"\'',
    '*',
    'new\nline',
    '\\',
    'caf\xe9',
    '\xff\xfe',
    '\x1b[31m',
    '\x7f',
    'x'.repeat(255),
    '..a',
  ];
  for (const name of names)
    await writeFile(Buffer.concat([Buffer.from(`${dir.path}/`), Buffer.from(name, 'latin1')]), name, 'latin1');
  const { entries } = await walk({ root: dir.path });
  assert.deepEqual(paths(entries), [...names].sort());
  for (const entry of entries) {
    assert.equal(entry.type, 'file');
    assert.equal(entry.body.kind, 'path');
    assert.equal(await readFile(entry.body.path, 'latin1'), entry.name.toString('latin1'));
  }
});

test('named pipes and sockets are left out with a notice that is safe to print', async () => {
  await using dir = await tempDir();
  execFileSync('mkfifo', [dir.join('pipe\x1b[31m')]);
  const server = createServer().listen(dir.join('socket'));
  try {
    const { entries, notices } = await walk({ root: dir.path });
    assert.deepEqual(entries, []);
    assert.deepEqual(
      notices.map(({ kind, item, reason }) => [kind, item.slice(dir.path.length + 1), /pipe|socket/.test(reason)]),
      [
        ['skipped', 'pipe\\x1b[31m', true],
        ['skipped', 'socket', true],
      ],
    );
  } finally {
    server.close();
  }
});

test('a marked cache keeps only its mark, unless caches are wanted', async () => {
  await using dir = await tempDir();
  for (const name of ['cache', 'cache/sub', 'fake']) await mkdir(dir.join(name));
  for (const path of ['cache/a', 'cache/sub/b', 'fake/c']) await writeFile(dir.join(path), '');
  await writeFile(dir.join('cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n# made by a test\n');
  await writeFile(dir.join('fake/CACHEDIR.TAG'), 'Signature: something else');
  const { entries, notices } = await walk({ root: dir.path });
  assert.deepEqual(paths(entries), ['cache/', 'cache/CACHEDIR.TAG', 'fake/', 'fake/CACHEDIR.TAG', 'fake/c']);
  assert.deepEqual(
    notices.map((notice) => [notice.kind, notice.item]),
    [['skipped', dir.join('cache')]],
  );
  const all = await walk({ root: dir.path, excludeCaches: false });
  assert.equal(paths(all.entries).length, 8);
});

test('what the patterns name is left out, and a directory so named is not even listed', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('cache/deep'), { recursive: true });
  for (const path of ['cache/a', 'cache/keep', 'cache/deep/b', 'x.tmp', 'kept']) await writeFile(dir.join(path), '');
  const { entries } = await walk({ root: dir.path, exclude: ['cache/**', '!cache/keep', '*.tmp'] });
  assert.deepEqual(paths(entries), ['cache/', 'cache/keep', 'kept']);
  await assert.rejects(walk({ root: dir.path, exclude: ['/'] }), (error) => isFailure(error, 'config_invalid'));
});

test('with oneFileSystem a mount point stays, empty, and is told', { skip: await noMountPoint() }, async () => {
  const exclude = ['*', '!/shm'];
  const { entries, notices } = await walk({ root: '/dev', exclude, oneFileSystem: true });
  assert.deepEqual(paths(entries), ['shm/']);
  assert.deepEqual(
    notices.map((notice) => [notice.kind, notice.item]),
    [['skipped', '/dev/shm']],
  );
});

async function noMountPoint(): Promise<string | false> {
  const devices = await Promise.all(
    ['/dev', '/dev/shm'].map((path) =>
      stat(path).then(
        (s) => s.dev,
        () => 0,
      ),
    ),
  );
  return devices[0] === devices[1] ? 'no file system is mounted at /dev/shm here' : false;
}

test('a root that is a symbolic link to a directory is followed', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('real'));
  await writeFile(dir.join('real', 'f'), '');
  await symlink('real', dir.join('link'));
  assert.deepEqual(paths((await walk({ root: dir.join('link') })).entries), ['f']);
});

test('a root that is missing or no directory is refused with a hint', async () => {
  await using dir = await tempDir();
  await writeFile(dir.join('f'), '');
  for (const root of [dir.join('none'), dir.join('f'), dir.join('f', 'x')]) {
    const refused = (error: unknown) => isFailure(error, 'source_unreadable') && error.hint !== undefined;
    await assert.rejects(walk({ root }), refused);
    await assert.rejects(rootDirectory(root), refused);
  }
});
