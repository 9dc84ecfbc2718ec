// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), sixteen bytes a step ("slicing by 16").
// TABLE[k * 256 + b] is the CRC of byte b followed by k zero bytes, so sixteen look-ups advance the register by sixteen bytes.

const TABLE: usize = memory.data(16 * 256 * 4, 16);
const INPUT: usize = memory.data(65536, 16);

function entry(slice: u32, byte: u32): u32 {
  return load<u32>(TABLE + (<usize>((slice << 8) + byte) << 2));
}

function fillTables(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    store<u32>(TABLE + (<usize>byte << 2), crc);
  }
  for (let slice: u32 = 1; slice < 16; slice++) {
    for (let byte: u32 = 0; byte < 256; byte++) {
      const before = entry(slice - 1, byte);
      store<u32>(TABLE + (<usize>((slice << 8) + byte) << 2), (before >>> 8) ^ entry(0, before & 0xff));
    }
  }
}

fillTables();

// Where the caller puts the bytes, at most 64 KiB a call.
export function input(): usize {
  return INPUT;
}

// Advances the raw register (neither inverted before nor after) over `length` bytes at INPUT.
export function update(register: u32, length: u32): u32 {
  let crc = register;
  let at = INPUT;
  const wideEnd = INPUT + (length & ~15);
  const end = INPUT + length;
  while (at < wideEnd) {
    const a = load<u32>(at) ^ crc;
    const b = load<u32>(at, 4);
    const c = load<u32>(at, 8);
    const d = load<u32>(at, 12);
    // What does not wait for the step before comes first, in pairs: only three additions follow the look-ups that do.
    const rest =
      ((entry(11, b & 0xff) ^ entry(10, (b >>> 8) & 0xff)) ^ (entry(9, (b >>> 16) & 0xff) ^ entry(8, b >>> 24))) ^
      ((entry(7, c & 0xff) ^ entry(6, (c >>> 8) & 0xff)) ^ (entry(5, (c >>> 16) & 0xff) ^ entry(4, c >>> 24))) ^
      ((entry(3, d & 0xff) ^ entry(2, (d >>> 8) & 0xff)) ^ (entry(1, (d >>> 16) & 0xff) ^ entry(0, d >>> 24)));
    crc =
      ((entry(15, a & 0xff) ^ entry(14, (a >>> 8) & 0xff)) ^ (entry(13, (a >>> 16) & 0xff) ^ entry(12, a >>> 24))) ^ rest;
    at += 16;
  }
  while (at < end) {
    crc = (crc >>> 8) ^ entry(0, (crc ^ load<u8>(at)) & 0xff);
    at++;
  }
  return crc;
}
