/**
 * CRC-32C (Castagnoli), the checksum of PostgreSQL's control file and WAL records.
 * The loop is WebAssembly (`assembly/crc32c.ts`); the test keeps it equal to a bitwise reference.
 */
import { wasmModule } from './wasm.ts';

interface Exports {
  input(): number;
  update(register: number, length: number): number;
}

const WINDOW = 65536;

const wasm = wasmModule<Exports>(new URL('./crc32c.wasm', import.meta.url))();
const input = new Uint8Array(wasm.memory.buffer, wasm.input(), WINDOW);

/**
 * The CRC-32C of `bytes` as an unsigned 32-bit number. `seed` is the CRC of what came before, so that
 * `crc32c(b, crc32c(a))` is the CRC of `a` followed by `b`.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let register = ~seed;
  for (let at = 0; at < bytes.length; at += WINDOW) {
    const piece = bytes.length <= WINDOW ? bytes : bytes.subarray(at, at + WINDOW);
    input.set(piece);
    register = wasm.update(register, piece.length);
  }
  return ~register >>> 0;
}
