/** Poly1305 as RFC 8439, section 2.5, writes it down: slow and readable. Tests hold the fast form equal to it. */

const P = (1n << 130n) - 5n;
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** The 16-byte tag of `message` under the 32-byte one-time `key` (r, then s). */
export function poly1305Reference(key: Uint8Array, message: Uint8Array): Buffer {
  const r = littleEndian(key.subarray(0, 16)) & CLAMP;
  const s = littleEndian(key.subarray(16, 32));
  let accumulator = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = message.subarray(at, at + 16);
    const withHighBit = littleEndian(block) | (1n << BigInt(8 * block.length));
    accumulator = ((accumulator + withHighBit) * r) % P;
  }
  const tag = Buffer.alloc(16);
  let value = accumulator + s;
  for (let i = 0; i < 16; i++, value >>= 8n) tag[i] = Number(value & 0xffn);
  return tag;
}
