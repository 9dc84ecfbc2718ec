/** The format against the program that defines it: we decode what restic wrote to the last byte, and restic accepts what we write. */
import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Id } from '../../src/base/ids.ts';
import { encodeNode, parseTree, TREE_PREFIX, TREE_SUFFIX, type TreeNode } from '../../src/repository/format/tree.ts';
import { need } from '../support/needs.ts';
import { Restic } from '../support/restic.ts';
import { tempDir } from '../support/temp.ts';
import { makeHardFiles } from './format-files.ts';
import { type ReadRepository, readRepository } from './format-repository.ts';
import { PlainWriter } from './format-writer.ts';

const FIXTURE = fileURLToPath(new URL('./format-fixture/repository', import.meta.url));
const restic = await need('restic');

function encodeTree(nodes: readonly TreeNode[]): Buffer {
  const list = nodes.flatMap((node, i) => (i === 0 ? [encodeNode(node)] : [Buffer.from(','), encodeNode(node)]));
  return Buffer.concat([TREE_PREFIX, ...list, TREE_SUFFIX]);
}

function assertTreesComeBack({ blobs }: ReadRepository): void {
  for (const [key, bytes] of blobs) {
    if (key.startsWith('tree')) assert.equal(encodeTree(parseTree(bytes)).toString(), bytes.toString());
  }
}

function contentOf(node: TreeNode, { blobs }: ReadRepository): Buffer {
  const ids =
    Buffer.from(node.content ?? [])
      .toString('hex')
      .match(/.{64}/g) ?? [];
  return Buffer.concat(ids.map((id) => blobs.get(`data ${id as Id}`)!));
}

/** Compares the tree `id` and everything below it with the directory at `path`. */
async function assertSameAsDirectory(repository: ReadRepository, id: Id, path: Buffer): Promise<void> {
  const nodes = parseTree(repository.blobs.get(`tree ${id}`)!);
  const names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
  assert.deepEqual(
    nodes.map(({ name }) => name.toString('latin1')),
    names.map((name) => name.toString('latin1')),
  );
  for (const node of nodes) {
    const file = Buffer.concat([path, Buffer.from('/'), node.name]);
    await assertSameMetadata(node, file);
    if (node.type === 'file') assert.deepEqual(contentOf(node, repository), await readFile(file));
    if (node.type === 'symlink') assert.deepEqual(node.linkTarget, await readlink(file, { encoding: 'buffer' }));
    if (node.type === 'dir') await assertSameAsDirectory(repository, node.subtree!, file);
  }
}

async function assertSameMetadata(node: TreeNode, file: Buffer): Promise<void> {
  const stat = await lstat(file, { bigint: true });
  assert.equal(node.mode, Number(stat.mode & 0o7777n));
  assert.equal(node.mtimeNs, stat.mtimeNs);
  assert.equal(node.ctimeNs, stat.ctimeNs);
  assert.equal(node.inode, stat.ino);
  assert.equal(node.deviceId, stat.dev);
  assert.equal(BigInt(node.uid), stat.uid);
  assert.equal(BigInt(node.gid), stat.gid);
  if (node.type === 'file') assert.deepEqual([BigInt(node.size), BigInt(node.links)], [stat.size, stat.nlink]);
  if (node.type === 'dev' || node.type === 'chardev') assert.equal(node.device, stat.rdev);
}

test('a committed repository of restic 0.14 is decoded whole and its trees are written the same', async () => {
  const repository = await readRepository(FIXTURE, 'fixture');
  assertTreesComeBack(repository);
  const [snapshot] = repository.snapshots;
  assert.deepEqual(snapshot?.tags, ['holdfast', 'fixture']);
  const nodes = parseTree(repository.blobs.get(`tree ${snapshot!.tree}`)!);
  const byName = new Map(nodes.map((node) => [node.name.toString('latin1'), node]));
  assert.equal(nodes.length, 43);
  assert.ok(byName.has('bad\xff\xfe utf8') && byName.has('new\nline') && byName.has('\\u0041'));
  assert.equal(byName.get('plain.txt')?.mode, 0o4755);
  assert.equal(byName.get('plain.txt')?.links, 2);
  assert.deepEqual(
    byName
      .get('plain.txt')
      ?.xattrs?.map(({ name }) => name)
      .sort(),
    ['user.a&b', 'user.note'],
  );
  assert.equal(byName.get('new\nline')?.mtimeNs, -1_500_000_000n);
  // makedev(259, 70000)
  assert.equal(byName.get('block')?.device, 286327664n);
  assert.equal(contentOf(byName.get('zeros')!, repository).length, 9_000_000);
});

test('what restic writes of hostile files is what the file system says', { skip: restic.skip }, async () => {
  await using directory = await tempDir();
  const files = directory.join('files');
  await mkdir(files);
  await makeHardFiles(files);
  const judge = new Restic(directory.join('repository'), 'live', { env: { TZ: 'UTC' } });
  await judge.init();
  await judge.backup([files]);
  const repository = await readRepository(judge.location, 'live');
  assertTreesComeBack(repository);
  let tree = repository.snapshots[0]!.tree;
  for (const _ of files.split('/').slice(1)) tree = parseTree(repository.blobs.get(`tree ${tree}`)!)[0]!.subtree!;
  await assertSameAsDirectory(repository, tree, Buffer.from(files));
});

test('restic checks and restores a repository made of our bytes', { skip: restic.skip }, async () => {
  await using directory = await tempDir();
  const location = directory.join('repository');
  const original = await readRepository(FIXTURE, 'fixture');
  const writer = new PlainWriter(location);
  for (const [key, bytes] of original.blobs) {
    if (key.startsWith('data')) writer.add('data', bytes);
    else writer.add('tree', encodeTree(parseTree(bytes)));
  }
  await writer.write(original.snapshots[0]!.tree, 'ours');
  const judge = new Restic(location, 'ours');
  await judge.check();
  assert.deepEqual(
    (await judge.snapshots()).map(({ tags, paths }) => ({ tags, paths })),
    [{ tags: ['holdfast'], paths: ['/app'] }],
  );
  await judge.restore('latest', directory.join('restored'), '--exclude', 'block', '--exclude', 'character');
  const restored = await readdir(directory.join('restored'), { encoding: 'buffer' });
  assert.equal(restored.length, 41);
  assert.equal((await readFile(directory.join('restored', 'zeros'))).length, 9_000_000);
  assert.match(await readFile(directory.join('restored', 'lines'), 'utf8'), /^line 0\nline 1\n/);
});
