/** What a pack vouches for, and what somebody who can write to a storage could try: everything here is sealed by the repository itself. */
import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Sealer } from '../crypto/envelope.ts';
import { PackBinding } from '../crypto/pack-binding.ts';
import { damagedCopies, decodesOrRefuses } from '../format/testing/hostile.ts';
import { PackBuilder } from './pack-builder.ts';
import { newPackFlags, PackMemory } from './pack-memory.ts';
import { BlobOpener } from './unseal-blob.ts';
import { type IndexedBlob, PackVouchers } from './unseal-pack.ts';

const KEY = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
const seals = { sealer: new Sealer(KEY), binding: new PackBinding(KEY) };
const vouchers = new PackVouchers(KEY);
const SIZE = 1000;
const SEALED = SIZE + 32;

function packOf(plains: readonly Buffer[]): Uint8Array {
  const builder = new PackBuilder(seals, false, 1_000_000, new PackMemory(newPackFlags(), 1_500_000));
  for (const plain of plains) builder.add(hash('sha256', plain, 'buffer'), plain, 0);
  return builder.finish().bytes;
}

const blobs = (count: number) => Array.from({ length: count }, () => randomBytes(SIZE));
const asIndexed = (plains: readonly Buffer[]): IndexedBlob[] =>
  plains.map((plain, i) => ({
    ...{ id: hash('sha256', plain, 'buffer'), offset: i * SEALED, length: SEALED, uncompressedLength: 0 },
  }));

/** For which of the blobs the bytes vouch, where hashing them all is not worthwhile. */
function vouched(bytes: Uint8Array, expected: readonly IndexedBlob[]): boolean[] {
  const voucher = vouchers.of(bytes, hash('sha256', bytes, 'buffer'), 0);
  return expected.map((blob) => voucher.vouchesFor(blob));
}

test('a pack vouches for its blobs, each in its place', () => {
  const plains = blobs(3);
  const expected = asIndexed(plains);
  const pack = packOf(plains);
  assert.deepEqual(vouched(pack, expected), [true, true, true]);
  const [first, second] = expected as [IndexedBlob, IndexedBlob];
  const wrong = [
    { ...first, id: second.id },
    { ...first, offset: second.offset },
    { ...first, offset: 5 },
    { ...first, length: SEALED - 1 },
    { ...first, uncompressedLength: 7 },
  ];
  assert.deepEqual(vouched(pack, wrong), [false, false, false, false, false]);
});

test('blobs that change places, come from another pack or get another header are not vouched for', () => {
  const plains = blobs(3);
  const expected = asIndexed(plains);
  const pack = packOf(plains);
  const other = packOf(blobs(3));
  const again = packOf(plains);
  const none = [false, false, false];

  const swapped = pack.slice();
  swapped.copyWithin(0, SEALED, 2 * SEALED);
  swapped.set(pack.subarray(0, SEALED), SEALED);
  assert.deepEqual(vouched(swapped, expected), none);

  const replaced = pack.slice();
  replaced.set(other.subarray(SEALED, 2 * SEALED), SEALED);
  assert.deepEqual(vouched(replaced, expected), none);

  const resealed = pack.slice();
  resealed.set(again.subarray(3 * SEALED), 3 * SEALED);
  assert.deepEqual(vouched(resealed, expected), none, 'the same blobs under another seal have another header');

  assert.deepEqual(vouched(other, expected), none, 'a whole pack, but of other blobs');
  assert.deepEqual(vouched(again, expected), [true, true, true], 'the same blobs in a pack of their own');
});

test('the same sealed blobs under the same header never make the same pack twice: a removed pack does not come back under its name', () => {
  const header = randomBytes(74);
  const sealed = [randomBytes(100), randomBytes(50)];
  const ivs = Array.from({ length: 50 }, () => seals.binding.newIv(header, sealed));
  assert.equal(new Set(ivs.map(String)).size, ivs.length);
  const isBound = (iv: Uint8Array): boolean => seals.binding.isBound(iv, header, sealed);
  assert.ok(ivs.every(isBound));
  for (const at of [0, 7, 8, 15]) {
    const spoilt = Buffer.from(ivs[0] as Buffer);
    spoilt[at]! ^= 1;
    assert.equal(isBound(spoilt), false, `byte ${at}`);
  }
});

test('one changed bit of a seal or of the header, or a pack cut short, and it vouches for nothing', () => {
  const plains = blobs(2);
  const expected = asIndexed(plains);
  const pack = packOf(plains);
  for (const at of [0, 15, SEALED - 1, SEALED, 2 * SEALED, 2 * SEALED + 20, pack.length - 5, pack.length - 1]) {
    const spoilt = pack.slice();
    spoilt[at]! ^= 1;
    assert.deepEqual(vouched(spoilt, expected), [false, false], `byte ${at}`);
  }
  for (const length of [3, 4, 40, SEALED, pack.length - 1]) {
    assert.deepEqual(vouched(pack.slice(0, length), expected), [false, false], `${length} bytes`);
  }
});

test('of a damaged pack a blob comes back right or not at all, whatever the damage', () => {
  const plains = blobs(2);
  const expected = asIndexed(plains);
  const pack = packOf(plains);
  const opener = new BlobOpener(KEY);
  let whole = 0;
  for (const damaged of damagedCopies(pack, 200)) {
    const isVouchedFor = vouched(damaged, expected);
    for (const [i, { offset, length }] of expected.entries()) {
      if (!isVouchedFor[i]) continue;
      decodesOrRefuses(() => {
        const { plain } = opener.open(damaged.subarray(offset, offset + length), 0);
        assert.ok(Buffer.from(plain).equals(plains[i]!));
        whole++;
      });
    }
  }
  assert.ok(whole > 0, 'one broken seal leaves the other blob');
});

test('a pack of another program vouches when it hashes to its name, and is hashed only where that is worthwhile', () => {
  const plains = blobs(2);
  const pack = packOf(plains);
  const foreign = Buffer.concat(plains.map((plain) => seals.sealer.seal(plain)));
  const header = seals.sealer.seal(seals.sealer.open(pack.subarray(2 * SEALED, pack.length - 4)));
  const bytes = Buffer.concat([foreign, header, pack.subarray(pack.length - 4)]);
  const [blob] = asIndexed(plains) as [IndexedBlob];
  const name = hash('sha256', bytes, 'buffer');
  assert.equal(vouchers.of(bytes, name, bytes.length * 2).vouchesFor(blob), true);
  assert.equal(vouchers.of(bytes, randomBytes(32), bytes.length * 2).vouchesFor(blob), false);
  assert.equal(vouchers.of(bytes, name, bytes.length).vouchesFor(blob), false);
});
