/** Packs as one worker builds them: what goes in comes out, once, under its own name. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { Sealer } from '../crypto/envelope.ts';
import { PackBinding } from '../crypto/pack-binding.ts';
import { parsePackHeader } from '../format/pack-header.ts';
import { numbers } from '../format/testing/hostile.ts';
import { BlobIndex } from '../index/blob-index.ts';
import { newClaims } from '../index/claims.ts';
import { BlobSealer, PartialBlob } from './blob-sealer.ts';
import type { SealedPackMessage, SealWorkerData } from './messages.ts';
import { PackBuilder } from './pack-builder.ts';
import { freeSlot, newPackFlags, PackMemory } from './pack-memory.ts';

const KEY = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
const sealer = new Sealer(KEY);
const seals = { sealer, binding: new PackBinding(KEY) };
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

/** The blobs of a pack, read from its own header: id in hex → plaintext. */
function open({ bytes, id }: Pick<SealedPackMessage, 'bytes' | 'id'>): Map<string, Buffer> {
  assert.deepEqual(sha(bytes), Buffer.from(id));
  const size = new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);
  const header = parsePackHeader(sealer.open(bytes.subarray(bytes.length - 4 - size, bytes.length - 4)));
  return new Map(
    header.map(({ id: blob, offset, length, uncompressedLength }) => {
      const plain = sealer.open(bytes.subarray(offset, offset + length));
      return [blob, uncompressedLength === 0 ? plain : zstdDecompressSync(plain)];
    }),
  );
}

function newPack(memory = new PackMemory(newPackFlags(), 1500)): PackBuilder {
  return new PackBuilder(seals, false, 1000, memory);
}

function setUp(settings: Partial<SealWorkerData['settings']> = {}, index = new BlobIndex()) {
  const packs: SealedPackMessage[] = [];
  const data: SealWorkerData = {
    masterKey: KEY,
    chunkerSeed: randomBytes(32),
    index: index.freeze(),
    claims: newClaims(),
    credits: new SharedArrayBuffer(4),
    packFlags: newPackFlags(),
    needed: 1,
    settings: { packSize: 1024 * 1024, compression: 'auto', ...settings },
  };
  const blobs = new BlobSealer(data, (pack) => packs.push(pack));
  const store = (plain: Uint8Array, isTree = false) => {
    const id = Buffer.alloc(32);
    blobs.store(isTree, [plain], id, 0);
    return id.toString('hex');
  };
  const all = () => new Map(packs.flatMap((pack) => [...open(pack)]));
  return { blobs, packs, store, all };
}

test('a pack opens by its header, and its table says the same', () => {
  const builder = newPack();
  const plain = [randomBytes(10), randomBytes(5000), Buffer.alloc(0)];
  for (const bytes of plain) builder.add(sha(bytes), bytes, 0);
  assert.ok(builder.isFull);
  const pack = builder.finish();
  assert.deepEqual([...open(pack).values()], plain);
  assert.equal(pack.blobIds.length, 96);
  assert.equal(pack.blobPlaces[3], pack.blobPlaces[1], 'the second begins where the first ends');
  assert.equal(builder.size, 0);
});

test('a header that memory or processor spoiled while it was sealed does not leave the worker', () => {
  class Spoiling extends Sealer {
    override sealUnder(iv: Uint8Array, plaintext: Uint8Array, target: Uint8Array, offset: number): number {
      const length = super.sealUnder(iv, plaintext, target, offset);
      target[offset + 20]! ^= 1;
      return length;
    }
  }
  const spoilt = { ...seals, sealer: new Spoiling(KEY) };
  const builder = new PackBuilder(spoilt, false, 1000, new PackMemory(newPackFlags(), 1500));
  builder.add(sha(Buffer.from('a')), Buffer.from('a'), 0);
  assert.throws(() => builder.finish(), { name: 'Failure' });
});

test('a pack that takes over another has the blobs of both', () => {
  const [one, two] = [newPack(), newPack()];
  one.add(sha(Buffer.from('a')), Buffer.from('a'), 0);
  two.add(sha(Buffer.from('b')), Buffer.from('b'), 0);
  one.absorb(two);
  assert.equal(two.size, 0);
  assert.deepEqual([...open(one.finish()).values()].map(String), ['a', 'b']);
});

test('memory of packs is used again when it was given back, never before; packs that find none, or are too large, have their own', () => {
  const flags = newPackFlags();
  const memory = new PackMemory(flags, 1500);
  const pack = (fill: number, length = 1000): SealedPackMessage => {
    const builder = newPack(memory);
    const bytes = Buffer.alloc(length, fill);
    builder.add(sha(bytes), bytes, 0);
    return builder.finish();
  };
  const packs = Array.from({ length: 20 }, (_, i) => pack(i));
  const slots = packs.flatMap(({ slot }) => slot ?? []);
  assert.equal(new Set(slots).size, slots.length);
  assert.ok(slots.length > 0 && slots.length < packs.length);
  assert.equal(pack(99, 5000).slot, undefined);
  packs.forEach((one, i) => {
    assert.deepEqual([...open(one).values()], [Buffer.alloc(1000, i)]);
  });
  freeSlot(new Int32Array(flags), slots[0] ?? -1);
  assert.equal(pack(50, 5000).slot, undefined, 'what outgrows its place gives it back');
  assert.equal(pack(51).slot, slots[0]);
});

for (const compression of ['auto', 'off', 1, 19] as const) {
  test(`blobs of every kind come back, each stored once (compression ${compression})`, () => {
    const { blobs, store, all } = setUp({ compression });
    const plain = [
      Buffer.alloc(0),
      Buffer.from('x'),
      Buffer.alloc(300_000, 'text '),
      randomBytes(300_000),
      Buffer.concat([randomBytes(200_000), Buffer.alloc(400_000)]),
    ];
    const ids = plain.map((bytes) => store(bytes));
    for (const bytes of plain) store(bytes);
    blobs.flush();
    assert.equal(blobs.stats.newBlobs, plain.length);
    assert.equal(
      blobs.stats.newBytes,
      plain.reduce((sum, { length }) => sum + length, 0),
    );
    const stored = all();
    for (const [i, id] of ids.entries()) assert.ok(plain[i]!.equals(stored.get(id)!));
  });
}

test('what compresses is stored smaller, what does not is not inflated', () => {
  const { blobs, store } = setUp();
  store(Buffer.alloc(1_000_000, 'compressible '));
  blobs.flush();
  assert.ok(blobs.stats.storedBytes < 10_000);
  store(randomBytes(1_000_000));
  assert.ok(blobs.stats.storedBytes < 1_010_100);
});

test('what does not compress is stored as it is, large blobs without being compressed first; off compresses no data', () => {
  const rawBlobs = (plain: Uint8Array, compression: SealWorkerData['settings']['compression']) => {
    const { blobs, packs, store } = setUp({ compression });
    store(plain);
    blobs.flush();
    return packs.map(({ blobPlaces }) => blobPlaces[2] === 0);
  };
  // the samples show noise, the rest would shrink: it was not looked at
  const noiseWhereSampled = Buffer.alloc(900_000);
  for (const at of [0, 300_000, 600_000]) randomBytes(32 * 1024).copy(noiseWhereSampled, at);
  for (const level of ['auto', 3] as const) {
    assert.deepEqual(rawBlobs(randomBytes(100_000), level), [true]);
    assert.deepEqual(rawBlobs(noiseWhereSampled, level), [true]);
    assert.deepEqual(rawBlobs(Buffer.alloc(100_000, 'text '), level), [false]);
  }
  assert.deepEqual(rawBlobs(Buffer.alloc(100_000, 'text '), 'off'), [true]);
});

test('a higher level compresses more', () => {
  const below = numbers(1);
  const words = Array.from({ length: 2000 }, () => below(2 ** 32).toString(36));
  const rows = Buffer.from(Array.from({ length: 20_000 }, () => words[below(words.length)]).join(' '));
  const storedAt = (compression: number) => {
    const { blobs, store } = setUp({ compression });
    store(rows);
    blobs.flush();
    return blobs.stats.storedBytes;
  };
  assert.ok(storedAt(12) < storedAt(1));
});

test('what every needed storage holds already is not stored; trees and data stand in different packs', () => {
  const index = new BlobIndex();
  const known = Buffer.from('known');
  index.addBlob(index.addPack(randomBytes(32), 1).pack, false, sha(known), 0, 10, 0);
  const { blobs, packs, store } = setUp({}, index);
  store(known);
  store(known, true);
  store(Buffer.from('new'));
  blobs.flush();
  assert.deepEqual(packs.map(({ isTree }) => isTree).sort(), [false, true]);
  assert.deepEqual([...open(packs.find(({ isTree }) => isTree)!).values()].map(String), ['known']);
});

test('a large blob that comes in parts has the id and content of the whole', async () => {
  const partial = new PartialBlob();
  const parts = Array.from({ length: 20 }, (_, i) => Buffer.alloc(100_000, `part ${i} `));
  for (const part of parts) await partial.add(part);
  const { id, compressed, length } = await partial.finish();
  const whole = Buffer.concat(parts);
  assert.deepEqual(id, sha(whole));
  assert.equal(length, whole.length);
  assert.ok(zstdDecompressSync(compressed).equals(whole));
});
