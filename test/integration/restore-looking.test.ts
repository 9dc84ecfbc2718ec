/** Looking inside points: ls, cat, find, diff. */
import assert from 'node:assert/strict';
import { chmod, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { before, describe, after as last, test } from 'node:test';
import type { Change, DiffOutcome } from '../../src/operations/diff.ts';
import type { FoundPath } from '../../src/operations/find.ts';
import type { ListedNode } from '../../src/operations/list-tree.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';

let app: BackupApp;
let first: string;

describe('two points of an app', () => {
  before(async () => {
    app = await backupApp({ local: ['a'], here: true });
    await fillMedia(app.media);
    first = (await app.backUp()).point;
    await writeFile(`${app.media}/photos/2026/3.jpg`, 'another picture');
    await rm(`${app.media}/photos/2026/4.jpg`);
    await writeFile(`${app.media}/photos/2026/new.jpg`, 'a new picture');
    await chmod(`${app.media}/photos/2026/5.jpg`, 0o600);
    await rm(`${app.media}/latest`);
    await writeFile(`${app.media}/latest`, 'no link any more');
    await utimes(`${app.media}/empty`, 5, 5);
    await symlink('\u001b[31mred', `${app.media}/evil\u001b[2J`);
    await app.backUp();
  });
  last(() => app[Symbol.asyncDispose]());

  test('ls shows the sources, a directory, a file, everything below', async () => {
    assert.equal((await app.ok(['ls', 'latest'])).stdout, 'manifest.json\nmedia/\nrunbook.html\nrunbook.txt\n');
    const photos = (await app.ok(['ls', 'latest', 'media/photos/'])).stdout;
    assert.equal(photos, 'media/photos/2026/\nmedia/photos/big.jpg\n');
    const same = (await app.ok(['ls', 'latest', '/clinic/media/photos'])).stdout;
    assert.equal(same, photos);
    const all = (await app.ok(['ls', '-R', first, '--json'])).document<ListedNode[]>();
    assert.equal(all.find(({ path }) => path === 'media/photos/2026/29.jpg')?.size, 29_000);
    const run = all.find(({ path }) => path === 'media/run.sh');
    assert.deepEqual([run?.mode, run?.type], ['4755', 'file']);
    const one = (await app.ok(['ls', 'latest', 'media/run.sh', '--json'])).document<ListedNode[]>();
    assert.deepEqual(
      one.map(({ path }) => path),
      ['media/run.sh'],
    );
    const big = (await app.ok(['ls', first, 'media/photos/big.jpg', '--json'])).document<ListedNode[]>();
    assert.equal(big[0]?.mtime, '1970-01-01T00:00:01.5Z');
  });

  test('ls does not let names drive the terminal', async () => {
    const { stdout } = await app.ok(['ls', '-l', 'latest', 'media']);
    assert.ok(!stdout.includes('\u001b'));
    assert.match(stdout, /evil\\x1b\[2J -> \\x1b\[31mred/);
    assert.match(stdout, /report ünïcode\\x0a"quoted"\.pdf/);
    assert.match(stdout, /^-rwsr-xr-x .* media\/run\.sh$/m);
  });

  test('cat gives the bytes of that version; what is no file is refused', async () => {
    assert.equal((await app.ok(['cat', 'latest', 'media/photos/2026/3.jpg'])).stdout, 'another picture');
    assert.equal(
      (await app.ok(['cat', first, 'media/report ünïcode\n"quoted".pdf'])).stdout,
      'a report\n'.repeat(5000),
    );
    assert.equal((await app.ok(['cat', first, 'media/empty'])).stdout, '');
    assert.equal(JSON.parse((await app.ok(['cat', first, 'manifest.json'])).stdout).app, 'clinic');
    for (const path of ['media/photos', 'media/nothing', 'media/run.sh/below', '']) {
      const { code, error, stdout } = await app.run(['cat', first, path, '--json']);
      assert.deepEqual([code, error?.error, stdout], [1, 'path_unknown', ''], path);
    }
    const directory = (await app.run(['cat', first, 'media/photos', '--json'])).error;
    assert.deepEqual(
      [directory?.message, directory?.hint],
      ['media/photos is a directory, not a file.', `What is in it: holdfast ls ${first} media/photos`],
    );
    const link = await app.run(['cat', first, 'media/latest', '--json']);
    assert.match(String(link.error?.message), /symbolic link to photos\/big\.jpg/);
  });

  test('find lists each point that has the file and numbers its contents', async () => {
    const found = (await app.ok(['find', '3.jpg', '--json'])).document<FoundPath[]>();
    assert.deepEqual(
      found.map(({ path, versions }) => [path, versions.map(({ content }) => content)]),
      [
        ['media/photos/2026/13.jpg', [1, 1]],
        ['media/photos/2026/23.jpg', [1, 1]],
        ['media/photos/2026/3.jpg', [1, 2]],
      ].slice(2),
    );
    const many = (await app.ok(['find', '*3.jpg', '--json'])).document<FoundPath[]>();
    assert.equal(many.length, 3);
    const gone = (await app.ok(['find', 'media/photos/**/4.jpg', '--json'])).document<FoundPath[]>();
    assert.deepEqual(
      gone[0]?.versions.map(({ point }) => point),
      [first],
    );
    assert.match((await app.ok(['find', '3.jpg'])).stdout, /media\/photos\/2026\/3\.jpg/);
    assert.deepEqual((await app.ok(['find', 'nothing-like-it', '--json'])).document(), []);
  });

  test('diff tells what was added, removed, changed, and what only looks different', async () => {
    const { changes, summary } = (await app.ok(['diff', first, 'latest', '--json'])).document<{
      changes: Change[];
      summary: DiffOutcome;
    }>();
    assert.deepEqual(
      changes.map(({ kind, path }) => `${kind} ${path}`),
      [
        'metadata media/empty',
        'added media/evil\u001b[2J',
        'type media/latest',
        'content media/photos/2026/3.jpg',
        'removed media/photos/2026/4.jpg',
        'metadata media/photos/2026/5.jpg',
        'added media/photos/2026/new.jpg',
      ],
    );
    assert.deepEqual(summary.counts, { added: 2, removed: 1, content: 1, metadata: 2, type: 1 });
    assert.equal(summary.bytes.removed, 4000);
    const text = (await app.ok(['diff', first, 'latest'])).stdout;
    assert.match(text, /^M {2}media\/photos\/2026\/3\.jpg \(2\.93 KiB → 15 B\)$/m);
    assert.ok(!text.includes('\u001b'));
    const none = (await app.ok(['diff', 'latest', 'latest', '--json'])).document<{ changes: Change[] }>();
    assert.deepEqual(none.changes, []);
  });

  test('a point that does not exist, or is not told apart, is said so', async () => {
    for (const command of [['ls'], ['cat'], ['restore', '--to', '/tmp/never']]) {
      const { error, code } = await app.run([
        ...command,
        'ffffffffffff',
        ...(command[0] === 'cat' ? ['x'] : []),
        '--json',
      ]);
      assert.deepEqual([code, error?.error], [1, 'point_unknown'], command[0]);
    }
  });
});
