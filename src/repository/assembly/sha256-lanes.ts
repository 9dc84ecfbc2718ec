// SHA-256 (FIPS 180-4) of four messages at once: lane l of every vector belongs to message l. Without SHA instructions in the processor
// this is half as fast again as the platform's one-message code, because four independent chains fill the vector units.
// The caller pads, and sets the state of a lane (5.3.3) where a message begins. No branch and no address depends on the data.

/** Bytes of each lane that one call takes at most. */
const LANE_SIZE: usize = 65536;
const LANES: usize = memory.data(262144, 16);
/** Eight vectors: word i of the four states. */
const STATE: usize = memory.data(128, 16);
/** The message schedule of one block, 64 vectors. */
const W: usize = memory.data(1024, 16);

const K = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

/** Where lane 0 begins; lane l begins LANE_SIZE * l further on. */
export function lanes(): usize {
  return LANES;
}

export function state(): usize {
  return STATE;
}

@inline function rotr(x: v128, n: i32): v128 {
  return v128.or(i32x4.shr_u(x, n), i32x4.shl(x, 32 - n));
}

@inline function xor3(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

/** Four 32-bit words, big-endian in the message. */
@inline function words(at: usize): v128 {
  const x = v128.load(at);
  return i8x16.shuffle(x, x, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
}

@inline function w(t: i32): v128 {
  return v128.load(W + ((<usize>t) << 4));
}

/** K + W of round t. */
@inline function kw(t: i32): v128 {
  return i32x4.add(v128.load32_splat(K + ((<usize>t) << 2)), w(t));
}

/** The first sixteen vectors of the schedule: four words of each lane, transposed. */
@inline function gather(block: usize, quarter: usize): void {
  const a = words(block + 16 * quarter);
  const b = words(block + LANE_SIZE + 16 * quarter);
  const c = words(block + 2 * LANE_SIZE + 16 * quarter);
  const d = words(block + 3 * LANE_SIZE + 16 * quarter);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const AB = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const CD = i32x4.shuffle(c, d, 2, 6, 3, 7);
  const at = W + 64 * quarter;
  v128.store(at, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(at, i64x2.shuffle(ab, cd, 1, 3), 16);
  v128.store(at, i64x2.shuffle(AB, CD, 0, 2), 32);
  v128.store(at, i64x2.shuffle(AB, CD, 1, 3), 48);
}

/** The rest of the schedule (6.2.2, step 1). */
@inline function expand(t: i32): void {
  const w15 = w(t - 15);
  const w2 = w(t - 2);
  const s0 = xor3(rotr(w15, 7), rotr(w15, 18), i32x4.shr_u(w15, 3));
  const s1 = xor3(rotr(w2, 17), rotr(w2, 19), i32x4.shr_u(w2, 10));
  v128.store(W + ((<usize>t) << 4), i32x4.add(i32x4.add(w(t - 16), s0), i32x4.add(w(t - 7), s1)));
}

@inline function t1(e: v128, f: v128, g: v128, h: v128, t: i32): v128 {
  const choose = v128.xor(g, v128.and(e, v128.xor(f, g)));
  return i32x4.add(i32x4.add(h, kw(t)), i32x4.add(xor3(rotr(e, 6), rotr(e, 11), rotr(e, 25)), choose));
}

@inline function t2(a: v128, b: v128, c: v128): v128 {
  const majority = v128.xor(b, v128.and(v128.xor(a, b), v128.xor(b, c)));
  return i32x4.add(xor3(rotr(a, 2), rotr(a, 13), rotr(a, 22)), majority);
}

/** Takes the first `blocks` blocks of 64 bytes of every lane. */
export function update(blocks: i32): void {
  let block = LANES;
  for (; blocks > 0; blocks--, block += 64) compress(block);
}

function compress(block: usize): void {
  gather(block, 0);
  gather(block, 1);
  gather(block, 2);
  gather(block, 3);
  for (let t = 16; t < 64; t += 2) {
    expand(t);
    expand(t + 1);
  }
  let a = v128.load(STATE);
  let b = v128.load(STATE, 16);
  let c = v128.load(STATE, 32);
  let d = v128.load(STATE, 48);
  let e = v128.load(STATE, 64);
  let f = v128.load(STATE, 80);
  let g = v128.load(STATE, 96);
  let h = v128.load(STATE, 112);
  // Eight rounds at a time (6.2.2, step 3): the working variables change places by name instead of being moved.
  for (let t = 0; t < 64; t += 8) {
    let x = t1(e, f, g, h, t);
    d = i32x4.add(d, x);
    h = i32x4.add(x, t2(a, b, c));
    x = t1(d, e, f, g, t + 1);
    c = i32x4.add(c, x);
    g = i32x4.add(x, t2(h, a, b));
    x = t1(c, d, e, f, t + 2);
    b = i32x4.add(b, x);
    f = i32x4.add(x, t2(g, h, a));
    x = t1(b, c, d, e, t + 3);
    a = i32x4.add(a, x);
    e = i32x4.add(x, t2(f, g, h));
    x = t1(a, b, c, d, t + 4);
    h = i32x4.add(h, x);
    d = i32x4.add(x, t2(e, f, g));
    x = t1(h, a, b, c, t + 5);
    g = i32x4.add(g, x);
    c = i32x4.add(x, t2(d, e, f));
    x = t1(g, h, a, b, t + 6);
    f = i32x4.add(f, x);
    b = i32x4.add(x, t2(c, d, e));
    x = t1(f, g, h, a, t + 7);
    e = i32x4.add(e, x);
    a = i32x4.add(x, t2(b, c, d));
  }
  v128.store(STATE, i32x4.add(v128.load(STATE), a));
  v128.store(STATE, i32x4.add(v128.load(STATE, 16), b), 16);
  v128.store(STATE, i32x4.add(v128.load(STATE, 32), c), 32);
  v128.store(STATE, i32x4.add(v128.load(STATE, 48), d), 48);
  v128.store(STATE, i32x4.add(v128.load(STATE, 64), e), 64);
  v128.store(STATE, i32x4.add(v128.load(STATE, 80), f), 80);
  v128.store(STATE, i32x4.add(v128.load(STATE, 96), g), 96);
  v128.store(STATE, i32x4.add(v128.load(STATE, 112), h), 112);
}
