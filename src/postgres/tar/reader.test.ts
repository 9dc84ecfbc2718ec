import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isFailure } from '../../base/failure.ts';
import { memberPath } from './member-path.ts';
import { type TarMember, TarReader } from './reader.ts';

const dir = mkdtempSync(join(tmpdir(), 'hf-tar-'));
after(() => rmSync(dir, { recursive: true }));

const LONG = `${'d'.repeat(90)}/${'e'.repeat(120)}/${'f'.repeat(200)}.bin`;
const FILES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'one block': randomBytes(512),
  'odd ü': randomBytes(70_001),
  [LONG]: randomBytes(1500),
};

/** An archive by GNU tar in the given format. */
function archive(format: string): Buffer {
  const root = mkdtempSync(join(dir, 'in-'));
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content);
  }
  return execFileSync('tar', ['-c', `--format=${format}`, '-C', root, '.'], { maxBuffer: 1 << 26 });
}

/** Hands out `bytes` in pieces of random length up to `most`. */
function source(bytes: Buffer, most: number): () => Promise<Buffer | undefined> {
  let at = 0;
  return async () => {
    if (at >= bytes.length) return undefined;
    const piece = bytes.subarray(at, at + randomInt(1, most + 1));
    at += piece.length;
    return piece;
  };
}

async function readFiles(bytes: Buffer, most: number, how: 'stream' | 'whole' | 'skip'): Promise<Map<string, Buffer>> {
  const tar = new TarReader(source(bytes, most));
  const found = new Map<string, Buffer>();
  for (let member = await tar.next(); member; member = await tar.next()) {
    const path = memberPath('', member.name);
    if (path === undefined || member.type !== 'file') continue;
    found.set(path, await body(tar, member, how));
  }
  return found;
}

async function body(tar: TarReader, member: TarMember, how: 'stream' | 'whole' | 'skip'): Promise<Buffer> {
  if (how === 'skip') return Buffer.alloc(0);
  const content = how === 'whole' ? await tar.readAll() : Buffer.concat(await Array.fromAsync(tar.content()));
  assert.equal(content.length, member.size);
  return content;
}

for (const format of ['gnu', 'pax', 'posix']) {
  test(`archives in ${format} format are read back, long names included, however they are cut`, async () => {
    const bytes = archive(format);
    for (const most of [13, 512, 5000, bytes.length]) {
      for (const how of ['stream', 'whole'] as const) {
        assert.deepEqual(Object.fromEntries(await readFiles(bytes, most, how)), FILES);
      }
      assert.deepEqual([...(await readFiles(bytes, most, 'skip')).keys()].sort(), Object.keys(FILES).sort());
    }
  });
}

test('an archive that is cut short is refused', async () => {
  const bytes = archive('gnu');
  for (const length of [100, 600, bytes.length - 1030, bytes.indexOf('odd') + 1000]) {
    const cut = bytes.subarray(0, length);
    if (cut.subarray(-1024).every((byte) => byte === 0)) continue;
    await assert.rejects(readFiles(cut, 700, 'stream'), (error) => isFailure(error, 'postgres_protocol'));
  }
});

test('archives with random damage are read or refused, never hang or throw anything else', async () => {
  const bytes = archive('pax');
  for (let round = 0; round < 200; round++) {
    const damaged = Buffer.from(bytes);
    for (let hits = randomInt(1, 20); hits > 0; hits--) damaged[randomInt(damaged.length)] = randomInt(256);
    try {
      await readFiles(damaged, 9000, round % 2 ? 'stream' : 'skip');
    } catch (error) {
      assert.ok(isFailure(error, 'postgres_protocol'), String(error));
    }
  }
});

test('a header with a right checksum may lie about everything else and is still bounded', async () => {
  for (let round = 0; round < 200; round++) {
    const block = randomBytes(512);
    block.write('ustar\0', 257, 'latin1');
    block[156] = 'xgLK0'.charCodeAt(round % 5);
    if (round % 3) block.write('00077777777\0', 124, 'latin1');
    let sum = 256;
    for (let at = 0; at < 512; at++) if (at < 148 || at > 155) sum += block[at] ?? 0;
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    await readFiles(Buffer.concat([block, randomBytes(3000)]), 4000, 'whole').catch((error) => {
      assert.ok(isFailure(error, 'postgres_protocol'), String(error));
    });
  }
});

test('names that leave their root are refused; harmless ones are made relative', () => {
  for (const name of ['/etc/passwd', '../x', 'a/../b', 'a//b', 'a/./b', 'a\0b', 'x'.repeat(5000), '/']) {
    assert.throws(
      () => memberPath('', name),
      (error) => isFailure(error, 'postgres_protocol'),
    );
  }
  assert.equal(memberPath('', './base/5/'), 'base/5');
  assert.equal(memberPath('pg_tblspc/16384', 'PG_17/5/1'), 'pg_tblspc/16384/PG_17/5/1');
  assert.equal(memberPath('', './'), undefined);
});
