/** The config source on real files: what is chosen, where it is stored, what is refused, and that no secret gets through. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import { configSource, MASK, type SecretPolicy } from '../../src/sources/config-source.ts';
import type { LooseEntry, SourceNotice } from '../../src/sources/entry.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

async function put(dir: TempDir, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(dir.join(path)), { recursive: true });
    await writeFile(dir.join(path), content);
  }
}

async function collect(base: string, paths: string[], secrets: SecretPolicy = 'mask') {
  const notices: SourceNotice[] = [];
  const files = new Map<string, LooseEntry & { type: 'file' }>();
  for await (const entry of configSource({ paths, base, secrets, notify: (notice) => notices.push(notice) })) {
    assert.equal(entry.type, 'file');
    files.set(entry.path, entry);
  }
  return { files, notices, kinds: notices.map((notice) => notice.kind) };
}

async function content(entry: LooseEntry | undefined): Promise<string> {
  assert.equal(entry?.type, 'file');
  assert.notEqual(entry.body.kind, 'stream');
  const bytes =
    entry.body.kind === 'path' ? await readFile(entry.body.path) : entry.body.kind === 'bytes' ? entry.body.bytes : '';
  assert.equal(entry.size, bytes.length);
  return bytes.toString();
}

test('relative paths are stored as they are, all others as absolute ones without the leading slash', async () => {
  await using dir = await tempDir();
  await put(dir, { 'app/compose.yaml': 'a: 1\n', 'app/conf/x.conf': 'x', 'other.conf': 'y' });
  const { files, notices } = await collect(dir.join('app'), [
    'compose.yaml',
    './conf/x.conf',
    '../other.conf',
    dir.join('app/compose.yaml'),
  ]);
  const absolute = dir.path.slice(1);
  assert.deepEqual(
    [...files.keys()],
    ['compose.yaml', 'conf/x.conf', `${absolute}/other.conf`, `${absolute}/app/compose.yaml`],
  );
  assert.equal(await content(files.get('conf/x.conf')), 'x');
  assert.equal(files.get('compose.yaml')?.meta.mode, 0o644);
  assert.deepEqual(notices, []);
});

test('directories and globs choose what is below them, each file once', async () => {
  await using dir = await tempDir();
  await put(dir, {
    'c.d/a.conf': '',
    'c.d/.hidden.conf': '',
    'c.d/sub/b.conf': '',
    'c.d/readme': '',
    '[odd] {dir}/z.conf': '',
  });
  const chosen = async (...paths: string[]) => [...(await collect(dir.path, paths)).files.keys()].sort();
  assert.deepEqual(await chosen('c.d'), ['c.d/.hidden.conf', 'c.d/a.conf', 'c.d/readme', 'c.d/sub/b.conf']);
  assert.deepEqual(await chosen('c.d/*.conf', 'c.d/a.conf'), ['c.d/.hidden.conf', 'c.d/a.conf']);
  assert.deepEqual(await chosen('**/b.conf'), ['c.d/sub/b.conf']);
  assert.deepEqual((await collect(dir.join('[odd] {dir}'), ['*.conf'])).files.size, 1);
  assert.deepEqual((await collect(dir.path, ['none/*.conf'])).kinds, ['note']);
});

test('a named file that is missing is told as unreadable, and the rest is kept', async () => {
  await using dir = await tempDir();
  await put(dir, { a: '1' });
  const { files, notices } = await collect(dir.path, ['missing', 'a', 'a/b']);
  assert.deepEqual([...files.keys()], ['a']);
  assert.deepEqual(
    notices.map(({ kind, item }) => [kind, item]),
    [
      ['unreadable', 'missing'],
      ['unreadable', 'a/b'],
    ],
  );
});

test('secrets are masked, and the notice says how many but not which', async () => {
  await using dir = await tempDir();
  await put(dir, {
    'compose.yaml': 'environment:\n  DB_PASSWORD: hunter2 # x\n  URL: postgres://u:s3cr3t@db/x\nports: [1]\n',
    plain: 'a=1\n',
  });
  const { files, notices } = await collect(dir.path, ['compose.yaml', 'plain']);
  const text = await content(files.get('compose.yaml'));
  assert.equal(text, `environment:\n  DB_PASSWORD: "${MASK}" # x\n  URL: postgres://u:${MASK}@db/x\nports: [1]\n`);
  assert.equal(await content(files.get('plain')), 'a=1\n');
  assert.deepEqual(notices, [
    { kind: 'masked', item: dir.join('compose.yaml'), reason: '2 places that look like a secret were masked' },
  ]);
});

test('with omit, a file that has a secret is left out; with keep, all is kept as it is', async () => {
  await using dir = await tempDir();
  await put(dir, { a: 'api_token = x\n', b: 'port = 1\n', '.env': 'SECRET=x', bin: Buffer.from([0, 1, 2]) });
  const omit = await collect(dir.path, ['a', 'b'], 'omit');
  assert.deepEqual([[...omit.files.keys()], omit.kinds], [['b'], ['skipped']]);
  const keep = await collect(dir.path, ['a', 'b', '.env', 'bin'], 'keep');
  assert.deepEqual([[...keep.files.keys()], keep.notices], [['a', 'b', '.env', 'bin'], []]);
  assert.equal(await content(keep.files.get('a')), 'api_token = x\n');
});

test('.env is refused by every way to it, and its templates are not', async () => {
  await using dir = await tempDir();
  const refused = ['.env', '.env.production', 'sub/.env', '.env.local', '.ENV'];
  const kept = [
    '.env.example',
    '.env.sample',
    '.env.template',
    '.env.dist',
    '.env.production.example',
    'env',
    '.environment',
  ];
  await put(dir, Object.fromEntries([...refused, ...kept].map((path) => [path, 'A=1'])));
  await symlink('.env', dir.join('settings'));
  const { files, notices } = await collect(dir.path, ['.']);
  assert.deepEqual([...files.keys()].sort(), [...kept].sort());
  assert.deepEqual(
    notices.map((notice) => notice.item).sort(),
    [...refused, 'settings'].map((path) => dir.join(path)).sort(),
  );
  assert.ok(notices.every((notice) => notice.kind === 'skipped' && notice.reason.includes('secrets: keep')));
});

test('what cannot be searched is left out with the reason', async () => {
  await using dir = await tempDir();
  await put(dir, { 'store.p12': Buffer.from([0x30, 0, 1]), 'large.sql': '' });
  await truncate(dir.join('large.sql'), 2 ** 31);
  execFileSync('mkfifo', [dir.join('pipe')]);
  const { files, notices } = await collect(dir.path, ['store.p12', 'large.sql', 'pipe']);
  assert.equal(files.size, 0);
  const reasons = notices.map((notice) => notice.reason);
  assert.match(reasons[0]!, /not a text file/);
  assert.match(reasons[1]!, /larger than 1 MiB/);
  assert.match(reasons[2]!, /not a regular file/);
  const keep = await collect(dir.path, ['large.sql', 'pipe'], 'keep');
  assert.deepEqual([keep.files.get('large.sql')?.size, keep.kinds], [2 ** 31, ['skipped']]);
});

test('links to files are read through, links to directories inside a directory are not followed', async () => {
  await using dir = await tempDir();
  await put(dir, { 'available/site': 'server', 'enabled/x': '' });
  await symlink('../available/site', dir.join('enabled/site'));
  await symlink('../available', dir.join('enabled/all'));
  const { files, kinds } = await collect(dir.path, ['enabled']);
  assert.deepEqual([...files.keys()], ['enabled/site', 'enabled/x']);
  assert.equal(await content(files.get('enabled/site')), 'server');
  assert.deepEqual(kinds, ['skipped']);
});

test('two files for one place in the point are not silently reduced to one', async () => {
  await using dir = await tempDir();
  const inside = `${dir.path.slice(1)}/x`;
  await put(dir, { x: 'absolute', [inside]: 'relative' });
  const { files, kinds } = await collect(dir.path, [inside, dir.join('x')]);
  assert.equal(await content(files.get(inside)), 'relative');
  assert.deepEqual(kinds, ['unreadable']);
});

test('a directory with too many files is refused', async () => {
  await using dir = await tempDir();
  await Promise.all(Array.from({ length: 10_001 }, (_, i) => writeFile(dir.join(`f${i}`), '')));
  await assert.rejects(
    collect(dir.path, ['.']),
    (error) => isFailure(error, 'config_invalid') && error.hint !== undefined,
  );
});
