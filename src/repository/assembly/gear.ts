// The gear rolling hash: h = 2h + TABLE[byte], so that h depends on the last 64 bytes. A position is a cut when h < threshold.

const TABLE: usize = memory.data(256 * 8, 16);
const WINDOW: usize = 64;

export function table(): usize {
  return TABLE;
}

// First address past the static data: where the caller may put the bytes, once it has grown the memory.
export function base(): usize {
  return __heap_base;
}

@inline
function roll(hash: u64, at: usize): u64 {
  return (hash << 1) + load<u64>(TABLE + (<usize>load<u8>(at) << 3));
}

// The smallest cut in [from, to), or 0 when there is none. A cut at p looks at the bytes [p - 64, p) only; `from` >= base + 64.
export function scan(from: usize, to: usize, threshold: u64): usize {
  let hash: u64 = 0;
  let at = from - WINDOW;
  while (at < from) hash = roll(hash, at++);
  for (; at + 8 <= to; at += 8) {
    if (hash < threshold) return at;
    hash = roll(hash, at);
    if (hash < threshold) return at + 1;
    hash = roll(hash, at + 1);
    if (hash < threshold) return at + 2;
    hash = roll(hash, at + 2);
    if (hash < threshold) return at + 3;
    hash = roll(hash, at + 3);
    if (hash < threshold) return at + 4;
    hash = roll(hash, at + 4);
    if (hash < threshold) return at + 5;
    hash = roll(hash, at + 5);
    if (hash < threshold) return at + 6;
    hash = roll(hash, at + 6);
    if (hash < threshold) return at + 7;
    hash = roll(hash, at + 7);
  }
  for (; at < to; at++) {
    if (hash < threshold) return at;
    hash = roll(hash, at);
  }
  return 0;
}
