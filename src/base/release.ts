/**
 * Memory given back at once. It would otherwise wait for the garbage collector, which large amounts of it set to work again and again: a
 * fifth of the processor time of a backup went there.
 */

/** Frees the memory of `bytes` where nothing else lies in it; nobody may look at them afterwards. */
export function release(bytes: Uint8Array): void {
  const { buffer } = bytes;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength) buffer.transfer(0);
}

/** Frees the whole memory that `bytes` lie in, of which nobody may use another part, unless it is the pool of small buffers. */
export function releaseAll({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
