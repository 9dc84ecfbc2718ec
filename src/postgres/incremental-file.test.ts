import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedPathOf, lengthOf, PAGE, readIncrementalFile } from './incremental-file.ts';

function encode(blocks: readonly number[], truncation: number, magic = 0xd3ae1f0d): Buffer {
  const words = Uint32Array.of(magic, blocks.length, truncation, ...blocks);
  const header = Buffer.alloc(blocks.length === 0 ? 12 : Math.ceil((words.length * 4) / PAGE) * PAGE);
  Buffer.from(words.buffer).copy(header);
  return Buffer.concat([header, ...blocks.map((block) => Buffer.alloc(PAGE, block))]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const read = (bytes: Buffer, size = bytes.length) => readIncrementalFile(inPieces(bytes, 5000), size);

test('blocks, length and pages come out whatever the pieces', async () => {
  const blocks = Array.from({ length: 2100 }, (_, i) => i * 2); // its header takes two pages
  const file = await read(encode(blocks, 3));
  assert.deepEqual([...file.blocks], blocks);
  assert.equal(file.truncation, 3);
  assert.equal(lengthOf(file), 4199);
  let count = 0;
  for await (const page of file.pages()) {
    assert.equal(page.length, PAGE);
    assert.equal(page[17], (blocks[count++] as number) & 0xff);
  }
  assert.equal(count, 2100);
});

test('an unchanged file is its header; a length beyond the segment ends with it', async () => {
  const file = await read(encode([], 131_072 + 500));
  assert.equal(lengthOf(file), 131_072);
});

test('files that make no sense are refused', async () => {
  const good = encode([1, 2], 3);
  for (const bad of [encode([], 1, 0xd3ae1f0e), encode([2, 1], 3), encode([1, 1], 3), encode([131_072], 3)])
    await assert.rejects(read(bad), { code: 'postgres_protocol' });
  await assert.rejects(read(good, good.length + 1), { code: 'postgres_protocol' });
  await assert.rejects(readIncrementalFile(inPieces(good.subarray(0, 9), 5), good.length), {
    code: 'postgres_protocol',
  });
});

test('only files of the incremental form have another path', () => {
  assert.equal(changedPathOf('base/5/INCREMENTAL.1259'), 'base/5/1259');
  assert.equal(changedPathOf('base/5/1259'), undefined);
});
