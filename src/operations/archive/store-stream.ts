/** Streams into blobs: cut at fixed offsets. */
import type { SealPool } from '../../repository/workers-api.ts';
import { WORK_AHEAD } from './context.ts';

/** Used where a source does not ask for another grain. */
const DEFAULT_GRAIN = 1024 * 1024;

export interface StoredContent {
  /** The ids of the blobs, one after the other. */
  readonly content: Promise<Uint8Array>;
  /** Bytes. */
  readonly size: number;
}

/** Resolves when the stream is consumed; `content` follows when the workers are done, so that many small files are under way at once. */
export async function storeStream(
  pool: SealPool,
  chunks: AsyncIterable<Uint8Array>,
  grain = DEFAULT_GRAIN,
  expectedSize = grain,
): Promise<StoredContent> {
  const ids: Promise<Uint8Array>[] = [];
  let size = 0;
  let block = new Uint8Array(Math.min(grain, Math.max(expectedSize, 1)));
  let filled = 0;
  const send = (): void => {
    const whole = filled === block.length ? block : block.slice(0, filled);
    const stored = pool.storeBlob(false, whole);
    stored.catch(() => {}); // awaited below, unless the stream itself fails before
    ids.push(stored);
    size += filled;
    filled = 0;
  };
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (block.length < grain && filled === block.length) block = grow(block, grain);
      const take = Math.min(block.length - filled, chunk.length - at);
      block.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled < grain) continue;
      send();
      block = new Uint8Array(Math.min(grain, Math.max(expectedSize - size, 1)));
      await pool.below(WORK_AHEAD);
    }
  }
  if (filled > 0) send();
  const content = Promise.all(ids).then((parts) => Buffer.concat(parts));
  content.catch(() => {});
  return { content, size };
}

/** The source said the file was shorter than it is. */
function grow(block: Uint8Array, grain: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.min(grain, block.length * 2 + 4096));
  larger.set(block);
  return larger;
}
