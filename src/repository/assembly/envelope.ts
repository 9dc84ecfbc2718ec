// The two loops of the envelope that the platform's crypto module does not offer: Poly1305 with a key of our own, and counter
// mode by hand (counter blocks out, key stream in). No branch and no address depends on a secret.

// Where the caller puts bytes and finds results.
const WINDOW: usize = memory.data(32768, 16);
const STREAM: usize = memory.data(32768, 16);
// The Poly1305 one-time key: r (16), then s (16). r is read by macStart and then makes room for the first counter block; the tag
// takes its place at the end.
const KEY: usize = memory.data(32, 16);

// The accumulator h (five words, the last of three bits at most) and the clamped r with s_i = r_i * 5 / 4.
let h0: u64 = 0;
let h1: u64 = 0;
let h2: u64 = 0;
let h3: u64 = 0;
let h4: u64 = 0;
let r0: u64 = 0;
let r1: u64 = 0;
let r2: u64 = 0;
let r3: u64 = 0;

export function window(): usize {
  return WINDOW;
}

export function stream(): usize {
  return STREAM;
}

export function key(): usize {
  return KEY;
}

// Starts a message under the one-time key at KEY. RFC 8439, 2.5: r is clamped here.
export function macStart(): void {
  r0 = load<u32>(KEY) & 0x0fffffff;
  r1 = load<u32>(KEY, 4) & 0x0ffffffc;
  r2 = load<u32>(KEY, 8) & 0x0ffffffc;
  r3 = load<u32>(KEY, 12) & 0x0ffffffc;
  h0 = h1 = h2 = h3 = h4 = 0;
}

// Adds `length` bytes at WINDOW. Every piece but the last has a length divisible by 16.
export function macUpdate(length: u32): void {
  const whole = length & ~15;
  if (whole) blocks(WINDOW, WINDOW + whole, 1);
  const rest = length & 15;
  if (rest == 0) return;
  const last = WINDOW + whole;
  store<u8>(last + rest, 1);
  for (let i = rest + 1; i < 16; i++) store<u8>(last + i, 0);
  blocks(last, last + 16, 0);
}

// h = (h + block) * r mod 2^130 - 5 for each block; `high` is the bit above the block's 128. Words of 32 bits with lazy carries:
// r's clamped words are below 2^28, so that five products and a carry stay below 2^64.
function blocks(from: usize, to: usize, high: u64): void {
  const s1 = r1 + (r1 >> 2);
  const s2 = r2 + (r2 >> 2);
  const s3 = r3 + (r3 >> 2);
  let a0 = h0;
  let a1 = h1;
  let a2 = h2;
  let a3 = h3;
  let a4 = h4;
  for (let at = from; at < to; at += 16) {
    a0 += load<u32>(at);
    a1 += <u64>load<u32>(at, 4) + (a0 >> 32);
    a2 += <u64>load<u32>(at, 8) + (a1 >> 32);
    a3 += <u64>load<u32>(at, 12) + (a2 >> 32);
    a4 += high + (a3 >> 32);
    a0 &= 0xffffffff;
    a1 &= 0xffffffff;
    a2 &= 0xffffffff;
    a3 &= 0xffffffff;

    const d0 = a0 * r0 + a1 * s3 + a2 * s2 + a3 * s1;
    const d1 = a0 * r1 + a1 * r0 + a2 * s3 + a3 * s2 + a4 * s1 + (d0 >> 32);
    const d2 = a0 * r2 + a1 * r1 + a2 * r0 + a3 * s3 + a4 * s2 + (d1 >> 32);
    const d3 = a0 * r3 + a1 * r2 + a2 * r1 + a3 * r0 + a4 * s3 + (d2 >> 32);
    const d4 = a4 * r0 + (d3 >> 32);

    // What stands at 2^130 and above comes back times five.
    a0 = (d0 & 0xffffffff) + (d4 >> 2) * 5;
    a1 = d1 & 0xffffffff;
    a2 = d2 & 0xffffffff;
    a3 = d3 & 0xffffffff;
    a4 = d4 & 3;
  }
  h0 = a0;
  h1 = a1;
  h2 = a2;
  h3 = a3;
  h4 = a4;
}

// Writes the 16-byte tag to KEY: (h mod 2^130 - 5) + s mod 2^128.
export function macFinish(): void {
  let c = h0 >> 32;
  let a0 = h0 & 0xffffffff;
  let a1 = h1 + c;
  c = a1 >> 32;
  a1 &= 0xffffffff;
  let a2 = h2 + c;
  c = a2 >> 32;
  a2 &= 0xffffffff;
  let a3 = h3 + c;
  c = a3 >> 32;
  a3 &= 0xffffffff;
  const a4 = h4 + c;

  // h < 2^130 + 2^35 here. h + 5 reaches 2^130 exactly when h >= 2^130 - 5; then h + 5 is the reduced value, mod 2^128.
  let g0 = a0 + 5;
  let g1 = a1 + (g0 >> 32);
  let g2 = a2 + (g1 >> 32);
  let g3 = a3 + (g2 >> 32);
  const g4 = a4 + (g3 >> 32);
  const take: u64 = 0 - (g4 >> 2);
  a0 = (a0 & ~take) | (g0 & 0xffffffff & take);
  a1 = (a1 & ~take) | (g1 & 0xffffffff & take);
  a2 = (a2 & ~take) | (g2 & 0xffffffff & take);
  a3 = (a3 & ~take) | (g3 & 0xffffffff & take);

  a0 += load<u32>(KEY, 16);
  a1 += <u64>load<u32>(KEY, 20) + (a0 >> 32);
  a2 += <u64>load<u32>(KEY, 24) + (a1 >> 32);
  a3 += <u64>load<u32>(KEY, 28) + (a2 >> 32);
  store<u32>(KEY, <u32>a0, 0);
  store<u32>(KEY, <u32>a1, 4);
  store<u32>(KEY, <u32>a2, 8);
  store<u32>(KEY, <u32>a3, 12);
}

// Writes `count` consecutive counter blocks to STREAM, beginning `skip` after the 16 bytes at KEY, a 128-bit big-endian number.
export function counters(count: u32, skip: u32): void {
  let high = bswap<u64>(load<u64>(KEY));
  const first = bswap<u64>(load<u64>(KEY, 8));
  let low = first + skip;
  high += <u64>(low < first);
  const end = STREAM + (<usize>count << 4);
  for (let at = STREAM; at < end; at += 16) {
    store<u64>(at, bswap<u64>(high));
    store<u64>(at, bswap<u64>(low), 8);
    low++;
    high += <u64>(low == 0);
  }
}

// WINDOW ^= STREAM over `length` bytes, rounded up to a whole block.
export function applyStream(length: u32): void {
  const end = <usize>((length + 15) & ~15);
  for (let at: usize = 0; at < end; at += 16) {
    v128.store(WINDOW + at, v128.xor(v128.load(WINDOW + at), v128.load(STREAM + at)));
  }
}
