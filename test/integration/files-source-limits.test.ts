/** The files source at its limits: large directories, deep trees, trees that change or cannot be read, walks that are broken off. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Entry, SourceNotice } from '../../src/sources/entry.ts';
import { walkFiles } from '../../src/sources/files-source.ts';
import { run } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

// Making and removing so many files is quick in memory.
if (existsSync('/dev/shm')) process.env.TMPDIR = '/dev/shm';

const MANY = 200_000;
/** More files than the scanner runs ahead of its reader. */
const WIDE = 30_000;

function unexpected(notice: SourceNotice): never {
  assert.fail(`${notice.item}: ${notice.reason}`);
}

function makeFiles(directory: string, count: number): void {
  mkdirSync(directory, { recursive: true });
  for (let i = 0; i < count; i++) closeSync(openSync(`${directory}/f${i}`, 'w'));
}

function names(batch: readonly Entry[]): string[] {
  return batch.flatMap((entry) => (entry.type === 'up' ? [] : [entry.name.toString()]));
}

test('200,000 files in one directory come in order and in small batches', async () => {
  await using dir = await tempDir();
  makeFiles(dir.join('d'), MANY);
  let files = 0;
  let last = '';
  for await (const batch of walkFiles({ root: dir.path, notify: unexpected })) {
    assert.ok(batch.length <= 1024);
    for (const entry of batch) {
      if (entry.type !== 'file') continue;
      const name = entry.name.toString();
      assert.ok(last < name, `${last} before ${name}`);
      last = name;
      files += 1;
    }
  }
  assert.equal(files, MANY);
  await run('rm', ['-rf', dir.join('d')]); // several times faster than Node's own
});

test('a path longer than the kernel takes is told, and the rest of the tree is kept', async () => {
  await using dir = await tempDir();
  const script = `
    const name = 'd'.repeat(250);
    for (let i = 0; i < 20; i++) { require('fs').mkdirSync(name); process.chdir(name); }
    require('fs').writeFileSync('bottom', '');`;
  mkdirSync(dir.join('deep'));
  writeFileSync(dir.join('last'), '');
  const made = await run(process.execPath, ['-e', script], { cwd: dir.join('deep') });
  assert.equal(made.code, 0, made.stderr);
  const notices: SourceNotice[] = [];
  let open = 0;
  let deepest = 0;
  const seen: string[] = [];
  for await (const batch of walkFiles({ root: dir.path, notify: (notice) => notices.push(notice) })) {
    seen.push(...names(batch));
    for (const entry of batch) {
      if (entry.type !== 'file' && entry.type !== 'symlink') open += entry.type === 'dir' ? 1 : -1;
      deepest = Math.max(deepest, open);
    }
  }
  assert.equal(open, 0);
  assert.ok(deepest >= 16);
  assert.equal(seen.at(-1), 'last');
  assert.deepEqual(
    notices.map((notice) => notice.kind),
    ['unreadable'],
  );
  assert.match(notices[0]!.reason, /ENAMETOOLONG/);
  await run('rm', ['-rf', dir.join('deep')]); // Node cannot remove it either
});

/** A walk of a tree wide enough that the scanner, which stays a fixed number of batches ahead, has to wait for the reader. */
async function walkWhileChanging(dir: TempDir, change: () => void) {
  makeFiles(dir.join('a'), WIDE);
  makeFiles(dir.join('b', 'c'), 3);
  const notices: SourceNotice[] = [];
  const seen: string[] = [];
  let first = true;
  for await (const batch of walkFiles({ root: dir.path, notify: (notice) => notices.push(notice) })) {
    if (first) change();
    first = false;
    seen.push(...names(batch));
  }
  return { seen, notices };
}

test('a directory that is removed while the walk goes on is told as vanished', async () => {
  await using dir = await tempDir();
  const { seen, notices } = await walkWhileChanging(dir, () => rmSync(dir.join('b'), { recursive: true }));
  assert.equal(seen.length, WIDE + 1);
  assert.deepEqual(
    notices.map((notice) => [notice.kind, notice.item]),
    [['vanished', dir.join('b')]],
  );
});

test('a directory that becomes a link out of the tree is kept as a link and not followed', async () => {
  await using dir = await tempDir();
  const { seen, notices } = await walkWhileChanging(dir, () => {
    renameSync(dir.join('b'), `${dir.path}-moved`);
    symlinkSync('/etc', dir.join('b'));
  });
  rmSync(`${dir.path}-moved`, { recursive: true });
  assert.deepEqual(seen.slice(-1), ['b']);
  assert.equal(seen.includes('passwd'), false);
  assert.deepEqual(notices, []);
});

test('leaving the loop stops the scan, and an aborted walk throws the reason', async () => {
  await using dir = await tempDir();
  makeFiles(dir.join('d'), WIDE);
  for await (const batch of walkFiles({ root: dir.path, notify: unexpected })) {
    assert.ok(batch.length > 0);
    break;
  }
  const controller = new AbortController();
  const reason = new Error('enough');
  const aborted = async () => {
    for await (const _ of walkFiles({ root: dir.path, signal: controller.signal, notify: unexpected }))
      controller.abort(reason);
  };
  await assert.rejects(aborted(), reason);
  await assert.rejects(aborted(), reason);
});

const WALK = `
  const { walkFiles } = await import(process.argv[1]);
  const found = [], notices = [];
  try {
    for await (const batch of walkFiles({ root: process.argv[2], notify: (n) => notices.push(n) }))
      found.push(...batch.filter((e) => e.type !== 'up').map((e) => e.name.toString()));
    console.log(JSON.stringify({ found, notices }));
  } catch (error) { console.log(JSON.stringify({ code: error.code, hint: error.hint })); }`;

/** Walks in a process without the power to read what its mode forbids, which root has otherwise. */
async function walkUnprivileged(root: string) {
  const source = new URL('../../src/sources/files-source.ts', import.meta.url).href;
  const node = [process.execPath, '--input-type=module', '-e', WALK, source, root];
  const drop = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', ...node] : node;
  const { stdout, stderr } = await run(drop[0]!, drop.slice(1));
  assert.ok(stdout.startsWith('{'), stderr);
  return JSON.parse(stdout);
}

test('a directory that may not be read is told and left out, the rest is kept', async () => {
  await using dir = await tempDir();
  makeFiles(dir.join('closed'), 2);
  makeFiles(dir.join('open'), 2);
  makeFiles(dir.join('unsearchable'), 2);
  const modes = (mode: string, name: string) => run('chmod', [mode, dir.join(name)]);
  await modes('000', 'closed');
  await modes('600', 'unsearchable');
  try {
    const { found, notices } = await walkUnprivileged(dir.path);
    assert.deepEqual(found, ['open', 'f0', 'f1', 'unsearchable']);
    assert.ok(
      notices.every((notice: SourceNotice) => notice.kind === 'unreadable' && /permission denied/.test(notice.reason)),
    );
    const items = new Set(notices.map((notice: SourceNotice) => notice.item));
    assert.deepEqual(items, new Set([dir.join('closed'), dir.join('unsearchable/f0'), dir.join('unsearchable/f1')]));
    assert.equal((await walkUnprivileged(dir.join('closed'))).code, 'source_unreadable');
  } finally {
    await modes('700', 'closed');
    await modes('700', 'unsearchable');
  }
});
