/** What the gear hash is made of: 256 numbers of 64 bits, and how small a hash must be to cut. */
import { createHmac } from 'node:crypto';

/** The table of the default seed is fixed for ever: another one would end deduplication with what is stored. */
const DEFAULT_SEED = new Uint8Array(32);

/** Entry `b` is the first eight bytes, little-endian, of HMAC-SHA-256(seed, "gear" ‖ b). */
export function gearTable(seed: Uint8Array = DEFAULT_SEED): BigUint64Array {
  if (seed.length !== 32) throw new RangeError('the seed of a chunker has 32 bytes');
  return BigUint64Array.from({ length: 256 }, (_, byte) =>
    createHmac('sha256', seed).update('gear').update(Uint8Array.of(byte)).digest().readBigUInt64LE(),
  );
}

/**
 * A hash below `strict` cuts before the normal size is reached, one below `loose` after it. Hashes are uniform over 64 bits, so a
 * threshold of 2^64 / n cuts every n bytes on average.
 */
export function thresholds(normalSize: number): { readonly strict: bigint; readonly loose: bigint } {
  const every = (bytes: number) => (1n << 64n) / BigInt(bytes);
  return { strict: every(normalSize * 2), loose: every(Math.ceil(normalSize / 2)) };
}
