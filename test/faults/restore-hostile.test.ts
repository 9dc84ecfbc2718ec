/** Points that somebody made to hurt: nothing is written outside the target, nothing through a link, and the refusal says why. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type HandMade, runRestore, writeHandMade } from '../integration/fixtures/restore-run.ts';
import { init, localStores } from '../support/care.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const evil = Buffer.from('evil');

async function hostile(dir: TempDir, nodes: readonly HandMade[]) {
  const stores = localStores(dir, 1);
  await init(stores);
  await writeHandMade(stores, nodes);
  return { stores, target: dir.join('target') };
}

for (const [what, nodes] of [
  ['goes up', [{ name: '..', children: [{ name: 'outside', content: evil }] }]],
  ['goes up as a file', [{ name: '..', content: evil }]],
  ['is this directory', [{ name: '.', content: evil }]],
  ['has a slash', [{ name: '../outside', content: evil }]],
  ['is absolute', [{ name: '/tmp/holdfast-hostile', content: evil }]],
  ['has a NUL', [{ name: Buffer.from('a\0b'), content: evil }]],
  ['is deep inside', [{ name: 'a', children: [{ name: 'b', children: [{ name: '..', content: evil }] }] }]],
  [
    'comes twice',
    [
      { name: 'a', content: evil },
      { name: 'a', content: Buffer.from('other') },
    ],
  ],
  [
    'is a link, then a directory',
    [
      { name: 'a', link: '/tmp' },
      { name: 'a', children: [{ name: 'x', content: evil }] },
    ],
  ],
  [
    'is out of order',
    [
      { name: 'b', content: evil },
      { name: 'a', content: evil },
    ],
  ],
] as const satisfies readonly (readonly [string, readonly HandMade[]])[]) {
  test(`a name that ${what} is refused before anything is written`, async () => {
    await using dir = await tempDir();
    const { stores, target } = await hostile(dir, nodes);
    await assert.rejects(runRestore({ stores, target }), { code: 'target_unsafe', message: /media|The point/ });
    await assert.rejects(lstat(target), 'not even the target was made');
    assert.deepEqual((await readdir(dir.path)).sort(), ['a']);
  });
}

test('links that lead outside are restored as links, and nothing is written through them', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('outside'));
  await writeFile(dir.join('outside', 'file'), 'mine');
  const { stores, target } = await hostile(dir, [
    { name: 'absolute', link: dir.join('outside') },
    { name: 'absolute.d', children: [{ name: 'file', content: evil }] },
    { name: 'loop', link: 'loop' },
    { name: 'up', link: '../../outside/file', node: { mode: 0o4777, xattrs: [{ name: 'user.x', value: evil }] } },
  ]);
  await runRestore({ stores, target });
  assert.equal(await readFile(dir.join('outside', 'file'), 'utf8'), 'mine');
  assert.deepEqual(await readdir(dir.join('outside')), ['file']);
  assert.ok((await lstat(`${target}/media/up`)).isSymbolicLink());
  assert.equal((await lstat(dir.join('outside', 'file'))).mode & 0o7777, 0o644);
});

test('a continued restore does not follow what somebody put in its way', async () => {
  await using dir = await tempDir();
  await mkdir(dir.join('outside'));
  await writeFile(dir.join('outside', 'file'), 'mine');
  const { stores, target } = await hostile(dir, [
    { name: 'd', children: [{ name: 'file', content: evil }] },
    { name: 'file', content: evil },
  ]);
  const begin = async () => {
    const marker = {
      format: 1,
      point: (await runRestore({ stores, target: dir.join('whole') }).catch(() => undefined))?.point,
    };
    return marker;
  };
  const { point } = (await begin())!;
  await mkdir(`${target}/media`, { recursive: true });
  await writeFile(
    `${target}/.holdfast-restore.json`,
    JSON.stringify({ format: 1, point, sources: [], paths: [], made: true }),
  );
  await symlink(dir.join('outside'), `${target}/media/d`);
  await assert.rejects(runRestore({ stores, target }), { code: 'target_unsafe' });
  assert.equal(await readFile(dir.join('outside', 'file'), 'utf8'), 'mine');

  await using second = await tempDir();
  await mkdir(second.join('media'));
  await writeFile(
    second.join('.holdfast-restore.json'),
    JSON.stringify({ format: 1, point, sources: [], paths: [], made: false }),
  );
  await symlink(dir.join('outside', 'file'), second.join('media', 'file'));
  await runRestore({ stores, target: second.path });
  assert.equal(
    await readFile(dir.join('outside', 'file'), 'utf8'),
    'mine',
    'the link was removed, not written through',
  );
  assert.equal(await readFile(second.join('media', 'file'), 'utf8'), 'evil');
});

test('names that the file system cannot hold are listed, and everything else is restored', async () => {
  await using dir = await tempDir();
  const { stores, target } = await hostile(dir, [
    { name: 'good', content: evil },
    { name: 'x'.repeat(300), content: evil },
  ]);
  const outcome = await runRestore({ stores, target });
  assert.equal(await readFile(`${target}/media/good`, 'utf8'), 'evil');
  assert.equal(outcome.missing, 1);
  assert.match(outcome.problems[0]!.message, /ENAMETOOLONG/);
});

test('pipes, sockets and devices are left out and said so; a file without blobs it needs is missing', async () => {
  await using dir = await tempDir();
  const { stores, target } = await hostile(dir, [
    { name: 'disk', node: { type: 'dev', device: 2049n } },
    { name: 'gone', node: { type: 'file', content: new Uint8Array(32).fill(7), size: 5 } },
    { name: 'pipe', node: { type: 'fifo' } },
  ]);
  const outcome = await runRestore({ stores, target });
  assert.deepEqual(await readdir(`${target}/media`), []);
  assert.deepEqual(
    outcome.problems.map(({ path, missing }) => [path, missing]),
    [
      ['media/disk', false],
      ['media/gone', true],
      ['media/pipe', false],
    ],
  );
  assert.equal(outcome.missing, 1);
});
