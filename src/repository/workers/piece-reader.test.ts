import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tempDir } from '../../../test/support/temp.ts';
import { Chunker } from '../chunker/chunker.ts';
import { generateMasterKey } from '../crypto/key-file.ts';
import { BlobIndex } from '../index/blob-index.ts';
import { newClaims } from '../index/claims.ts';
import { BlobSealer } from './blob-sealer.ts';
import type { FilePiece } from './messages.ts';
import { newPackFlags } from './pack-memory.ts';
import { PieceReader } from './piece-reader.ts';
import { ZeroRun } from './zero-run.ts';

const MIB = 1024 * 1024;

test('a run of zeros is cut into the same blobs as by the chunker alone', async () => {
  await using dir = await tempDir();
  const path = dir.join('sparse');
  const head = randomBytes(3 * MIB + 17);
  await writeFile(path, head);
  await truncate(path, 50 * MIB + 5);
  const tail = randomBytes(MIB + 3);
  await writeFile(path, tail, { flag: 'a' });
  const content = Buffer.concat([head, Buffer.alloc(50 * MIB + 5 - head.length), tail]);

  const [result] = new PieceReader(new Chunker(), realSealer()).read([whole(path)]);
  assert.ok(result?.ok);
  assert.equal(result.bytes, content.length);
  assert.deepEqual(Buffer.from(result.content), idsByTheRule(content));
});

test('files that are read together get the ids that each gets alone, whatever is beside them', async () => {
  await using dir = await tempDir();
  const sizes = [0, 1, 5000, MIB, 3 * MIB + 1, 100, 21 * MIB, 70_000, 0, 9 * MIB, 2];
  const contents = sizes.map((size, i) => (i % 4 === 3 ? Buffer.alloc(size) : randomBytes(size)));
  const paths = contents.map((_, i) => dir.join(String(i)));
  await Promise.all(contents.map((content, i) => writeFile(paths[i]!, content)));
  const missing = whole(dir.join('missing'));
  const stretch = { path: Buffer.from(paths[6]!), offset: MIB, length: 2 * MIB + 7 };
  const pieces = [missing, ...paths.map(whole), whole(dir.path), stretch, missing];

  const reader = new PieceReader(new Chunker(), realSealer());
  for (const round of ['first', 'second']) {
    const results = reader.read(pieces);
    assert.deepEqual(
      results.map((result) => (result.ok ? result.bytes : result.errno)),
      ['ENOENT', ...sizes, 'ENOTFILE', stretch.length, 'ENOENT'],
    );
    const ids = results.map((result) => (result.ok ? Buffer.from(result.content) : undefined));
    assert.deepEqual(ids.slice(1, 1 + sizes.length), contents.map(idsByTheRule), round);
    assert.deepEqual(ids[1 + sizes.length + 1], idsByTheRule(contents[6]!.subarray(MIB, 3 * MIB + 7)));
  }
});

test('only what is zero throughout is taken for the known chunk', () => {
  const run = new ZeroRun();
  const window = new Uint8Array(4096);
  assert.equal(run.repeats(window, 0, 4096), 0, 'nothing is known yet');
  run.learn(Uint8Array.of(0, 1, 0), new Uint8Array(32));
  assert.equal(run.repeats(window, 0, 4096), 0, 'zeros at both ends are not enough');
  run.learn(new Uint8Array(1000), new Uint8Array(32).fill(7));
  assert.deepEqual(run.id, new Uint8Array(32).fill(7));
  assert.equal(run.repeats(window, 96, 4096), 1096);
  assert.equal(run.repeats(window, 3097, 4096), 0, 'too little is left');
  window[500] = 1;
  assert.equal(run.repeats(window, 0, 4096), 0);
});

function whole(path: string): FilePiece {
  return { path: Buffer.from(path), offset: 0, length: Number.POSITIVE_INFINITY };
}

function realSealer(): BlobSealer {
  const data = {
    masterKey: generateMasterKey(),
    chunkerSeed: new Uint8Array(32),
    index: new BlobIndex().freeze(),
    claims: newClaims(),
    credits: new SharedArrayBuffer(4),
    packFlags: newPackFlags(),
    needed: 1,
    settings: { packSize: MIB, compression: 'auto' as const },
  };
  return new BlobSealer(data, () => {});
}

/** Ids of the blobs of `content`, each cut found by the chunker from a window that begins with the chunk. */
function idsByTheRule(content: Uint8Array): Buffer {
  const chunker = new Chunker();
  const ids: Buffer[] = [];
  for (let at = 0; at < content.length; ) {
    const window = content.subarray(at, at + chunker.buffer.length);
    chunker.buffer.set(window);
    const cut = chunker.cut(0, window.length, at + window.length === content.length);
    ids.push(hash('sha256', content.subarray(at, at + cut), 'buffer'));
    at += cut;
  }
  return Buffer.concat(ids);
}
