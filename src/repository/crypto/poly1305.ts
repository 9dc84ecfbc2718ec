/**
 * Poly1305 (RFC 8439) and the helpers of hand-made counter mode, in WebAssembly (`assembly/envelope.ts`).
 * One instance per thread; nothing here waits, so its state never mixes between two messages.
 */
import { wasmModule } from '../../base/wasm.ts';

interface Exports {
  window(): number;
  stream(): number;
  key(): number;
  macStart(): void;
  macUpdate(length: number): void;
  macFinish(): void;
  counters(count: number, skip: number): void;
  applyStream(length: number): void;
}

/** Bytes that `window` and `stream` hold. */
export const WINDOW_SIZE = 32768;

const wasm = wasmModule<Exports>(new URL('./envelope.wasm', import.meta.url))();

/** Views of the module's memory: message bytes, key stream, and 32 bytes that are one-time key, tag or first counter by turns. */
export const memory = {
  window: new Uint8Array(wasm.memory.buffer, wasm.window(), WINDOW_SIZE),
  stream: new Uint8Array(wasm.memory.buffer, wasm.stream(), WINDOW_SIZE),
  key: new Uint8Array(wasm.memory.buffer, wasm.key(), 32),
} as const;

export const { macStart, macUpdate, macFinish, counters, applyStream } = wasm;

/** The 16-byte tag of `message` under the 32-byte one-time `key` (r, then s). */
export function poly1305(key: Uint8Array, message: Uint8Array): Buffer {
  memory.key.set(key);
  macStart();
  for (let at = 0; at < message.length; at += WINDOW_SIZE) {
    const piece = message.subarray(at, at + WINDOW_SIZE);
    memory.window.set(piece);
    macUpdate(piece.length);
  }
  macFinish();
  return Buffer.from(memory.key.subarray(0, 16));
}
