import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { Sealer } from '../crypto/envelope.ts';
import { StretchWriter } from './unseal-stretch.ts';

const key = { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) };
const sealer = new Sealer(key);
/** Lengths that show in the seal are the same for all: only the id tells these blobs apart. */
const PLAINS = Array.from({ length: 9 }, (_, i) => Buffer.alloc(20_000, `row ${i} of a table\n`));

/** The blobs one after the other as a stretch, `order` saying which stands at which place. */
function stretchOf(order: readonly number[], checksum: boolean) {
  const params = { [constants.ZSTD_c_checksumFlag]: checksum ? 1 : 0 };
  const sealed = PLAINS.map((plain) => sealer.seal(zstdCompressSync(plain, { params })));
  const length = (sealed[0] as Buffer).length;
  assert.ok(sealed.every((one) => one.length === length));
  const blobs = Uint32Array.from(
    PLAINS.flatMap((plain, row) => [row * length, length, plain.length, row, row, row + 1]),
  );
  const bytes = Uint8Array.from(Buffer.concat(order.map((which) => sealed[which] as Buffer)));
  return { bytes, blobs, refs: Uint32Array.from(PLAINS.keys()) };
}

/** Writes a stretch; returns what was placed, by reference, and what was damaged. */
function write(stretch: ReturnType<typeof stretchOf>, packId?: Uint8Array) {
  const ids = new SharedArrayBuffer(PLAINS.length * 32);
  new Uint8Array(ids).set(Buffer.concat(PLAINS.map((plain) => hash('sha256', plain, 'buffer'))));
  const placed = new Map<number, string>();
  const files = {
    place(plain: Uint8Array, refs: Uint32Array): number {
      for (const ref of refs) placed.set(ref, Buffer.from(plain).toString());
      return plain.length * refs.length;
    },
  };
  const { bytes, damaged } = new StretchWriter(key, ids, files).write({
    ...{ kind: 'write', job: 1, ...stretch },
    ...(packId ? { packId } : {}),
  });
  return { bytes, damaged, placed };
}

const IN_ORDER = [...PLAINS.keys()];
const SWAPPED = [0, 2, 1, 3, 4, 5, 6, 8, 7];

for (const checksum of [true, false]) {
  test(`every blob of a stretch is placed, with${checksum ? '' : 'out'} checksums in the frames, pack or not`, () => {
    const stretch = stretchOf(IN_ORDER, checksum);
    const packId = hash('sha256', stretch.bytes, 'buffer');
    for (const id of [packId, undefined]) {
      const { bytes, damaged, placed } = write({ ...stretch, bytes: stretch.bytes.slice() }, id);
      assert.deepEqual(damaged, []);
      assert.equal(bytes, PLAINS.length * 20_000);
      assert.deepEqual(
        [...placed].sort(([a], [b]) => a - b),
        PLAINS.map((plain, i) => [i, plain.toString()]),
      );
    }
  });

  test(`blobs of the repository that change places are found out, with${checksum ? '' : 'out'} checksums`, () => {
    const asIndexed = hash('sha256', stretchOf(IN_ORDER, checksum).bytes, 'buffer');
    for (const packId of [asIndexed, undefined]) {
      const { damaged, placed } = write(stretchOf(SWAPPED, checksum), packId);
      assert.deepEqual(damaged, [1, 2, 7, 8]);
      assert.deepEqual([...placed.keys()].sort(), [0, 3, 4, 5, 6]);
    }
  });
}

test('a blob without a checksum is hashed also in a pack that hashes to its name', () => {
  const stretch = stretchOf(SWAPPED, false);
  assert.deepEqual(write(stretch, hash('sha256', stretch.bytes, 'buffer')).damaged, [1, 2, 7, 8]);
});

test('one broken seal costs one blob', () => {
  const stretch = stretchOf(IN_ORDER, true);
  stretch.bytes[(stretch.blobs[6] as number) + 40]! ^= 1;
  assert.deepEqual(write(stretch, randomBytes(32)).damaged, [1]);
});
