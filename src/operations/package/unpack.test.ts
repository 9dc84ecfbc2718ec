/** Packages that somebody made who means harm: each has the right checksums, so that only what it would do is a reason to refuse it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { isFailure } from '../../base/failure.ts';
import { silent } from '../../base/progress.ts';
import type { DownloadedEntry } from '../download.ts';
import { importPackage } from '../import-package.ts';
import { FORMAT, wholeLine } from './layout.ts';
import { SumBook } from './sum-book.ts';
import { TAR_END, tarMembers } from './tar-writer.ts';

type Entry = Partial<Omit<DownloadedEntry, 'path' | 'read'>> & { readonly path: string; readonly content?: string };

let dir: string;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'holdfast-unpack-'));
});
after(() => rm(dir, { recursive: true, force: true }));

const MANIFEST: Entry = { path: 'manifest.json', content: '{"app":"a","time":"t","sources":{}}' };
const file = (path: string, content = 'x'): Entry => ({ path, content });
const folder = (path: string): Entry => ({ path, type: 'dir' });
const link = (path: string, to: string): Entry => ({ path, type: 'symlink', linkTarget: Buffer.from(to) });

function entryOf({ content = '', path, ...more }: Entry): DownloadedEntry {
  const bytes = Buffer.from(content);
  return {
    ...{ type: 'file', mode: 0o644, uid: process.getuid!(), gid: process.getgid!(), mtimeNs: 0n, size: bytes.length },
    ...more,
    path: Buffer.from(path, 'latin1'),
    async *read() {
      yield bytes;
    },
  };
}

/** With checksums that fit. `change` is applied to what stands before them. */
async function packageOf(
  entries: readonly Entry[],
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<Buffer> {
  await using sums = await SumBook.open();
  await sums.remark(FORMAT);
  for (const { path, type = 'file', content = '' } of entries)
    if (type === 'file') await sums.add(Buffer.from(path, 'latin1'), sha256(Buffer.from(content)));
  const before = change(await whole(entries.map(entryOf)));
  await sums.remark(wholeLine(before.length, sha256(before)));
  const list = (await Array.fromAsync(sums.read())).join('');
  return Buffer.concat([before, await whole([entryOf(file('SHA256SUMS', list))]), TAR_END]);
}

async function whole(entries: readonly DownloadedEntry[]): Promise<Buffer> {
  const all = async function* () {
    yield* entries;
  };
  return Buffer.concat(await Array.fromAsync(tarMembers(all(), Buffer.from('a-00000000'))));
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function imported(bytes: Buffer, target = join(dir, 'in')): Promise<string> {
  const from = (async function* () {
    for (let at = 0; at < bytes.length; at += 700) yield bytes.subarray(at, at + 700);
  })();
  const world = { clock: systemClock, signal: new AbortController().signal, progress: silent };
  try {
    await importPackage(world, { from, target, ownership: 'none' });
    return 'taken';
  } catch (error) {
    return isFailure(error) ? error.code : String(error);
  }
}

test('the package that the others are made of is taken', async () => {
  const good = await packageOf([
    MANIFEST,
    folder('media'),
    file('media/a'),
    link('media/b', '/etc'),
    folder('media/c'),
  ]);
  assert.equal(await imported(good), 'taken');
  await rm(join(dir, 'in'), { recursive: true });
});

test('names that lead elsewhere, links on the way, things twice, devices and the like are refused', async () => {
  await writeFile(join(dir, 'outside'), 'untouched');
  const typed = (type: string) => (bytes: Buffer) => {
    const copy = Buffer.from(bytes);
    const header = copy.indexOf('a-00000000/media/a');
    copy.write(type, header + 156, 'latin1');
    copy.fill(' ', header + 148, header + 156);
    const sum = copy.subarray(header, header + 512).reduce((total, byte) => total + byte, 0);
    copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, header + 148, 'latin1');
    return copy;
  };
  const one = [MANIFEST, folder('media'), file('media/a', '')];
  const cases: readonly (readonly [string, Promise<Buffer>])[] = [
    ['up and away', packageOf([MANIFEST, file('../outside')])],
    ['up inside', packageOf([MANIFEST, folder('media'), file('media/../../outside')])],
    ['an empty name', packageOf([MANIFEST, folder('media'), file('media//a')])],
    ['a dot', packageOf([MANIFEST, file('./a')])],
    ['a zero in a name', packageOf([MANIFEST, file(`a\0b${'x'.repeat(120)}`)])],
    ['through a link', packageOf([MANIFEST, link('media', dir), file('media/outside')])],
    ['through a link that was a directory', packageOf([MANIFEST, folder('m'), link('m', dir), file('m/outside')])],
    ['a file twice', packageOf([MANIFEST, file('a'), file('a')])],
    ['a link, then a file of its name', packageOf([MANIFEST, link('a', '../outside'), file('a', 'changed')])],
    ['without its directory', packageOf([MANIFEST, file('media/a')])],
    ['back into a directory that is over', packageOf([MANIFEST, folder('m'), folder('n'), file('m/a')])],
    ['a directory whose name only begins alike', packageOf([MANIFEST, folder('m'), file('mn/a')])],
    ['a name that is too long', packageOf([MANIFEST, file('x'.repeat(300))])],
    ['a pipe', packageOf([MANIFEST, { path: 'p', type: 'fifo' }])],
    ['a hard link', packageOf(one, typed('1'))],
    ['a device', packageOf(one, typed('3'))],
    ['a sparse file', packageOf(one, typed('S'))],
    ['a GNU long name', packageOf(one, typed('L'))],
    [
      'deep without end',
      packageOf([MANIFEST, ...Array.from({ length: 1_200 }, (_, at) => folder(`d${'/d'.repeat(at)}`))]),
    ],
    ['no manifest', packageOf([folder('media')])],
    ['a manifest that is none', packageOf([file('manifest.json', '[]')])],
    ['a file that is promised to be huge', packageOf([MANIFEST, { ...file('a'), size: 2 ** 40 }])],
  ];
  for (const [what, bytes] of cases) {
    assert.equal(await imported(await bytes), 'package_refused', what);
    assert.deepEqual((await readdir(dir)).sort(), ['outside'], `${what}: nothing is left`);
  }
});

test('an empty directory that was there stays, empty', async () => {
  const target = join(dir, 'mine');
  await mkdir(target);
  assert.equal(await imported(await packageOf([MANIFEST, file('../x')]), target), 'package_refused');
  assert.deepEqual(await readdir(target), []);
});
