/** Entry of a sealing worker: takes requests in order, answers each, hands over packs as they fill. */
import { asFailure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { release } from '../../base/release.ts';
import { ThreadPort } from '../../base/thread-port.ts';
import { Chunker } from '../chunker/chunker.ts';
import { BlobSealer, PartialBlob } from './blob-sealer.ts';
import type { SealedPackMessage, SealReply, SealRequest, SealWorkerData } from './messages.ts';
import { PieceReader } from './piece-reader.ts';

const port = new ThreadPort<SealWorkerData, SealRequest, SealReply>();
const data = await port.data();
const credits = new Int32Array(data.credits);
const sealer = new BlobSealer(data, handOver);
const reader = new PieceReader(new Chunker({ seed: data.chunkerSeed }), sealer);
const partials = new Map<number, PartialBlob>();

/** Waits until the main thread has room for another pack: this is what bounds the memory of a backup. */
function handOver(pack: SealedPackMessage): void {
  for (;;) {
    const left = Atomics.load(credits, 0);
    if (left > 0 && Atomics.compareExchange(credits, 0, left, left - 1) === left) break;
    if (left <= 0) Atomics.wait(credits, 0, left);
  }
  port.post(pack, pack.slot === undefined ? [pack.bytes.buffer as ArrayBuffer] : []);
}

async function answer(request: SealRequest): Promise<SealReply> {
  switch (request.kind) {
    case 'pieces': {
      const results = reader.read(request.pieces);
      return { kind: 'pieces', job: request.job, results, stats: sealer.stats };
    }
    case 'blobs': {
      const content = new Uint8Array(32 * request.blobs.length);
      sealer.store(request.isTree, request.blobs, content);
      for (const blob of request.blobs) release(blob);
      return { kind: 'content', job: request.job, content, stats: sealer.stats };
    }
    case 'content':
      return { kind: 'content', job: request.job, content: reader.cutBytes(request.bytes), stats: sealer.stats };
    case 'part':
      return {
        kind: 'content',
        job: request.job,
        content: await addPart(request.stream, request.bytes, request.last),
        stats: sealer.stats,
      };
    case 'flush':
      sealer.flush();
      return { kind: 'flushed', job: request.job, learned: sealer.takeLearned(), stats: sealer.stats };
  }
}

async function addPart(stream: number, bytes: Uint8Array, last: boolean): Promise<Uint8Array> {
  const partial = partials.get(stream) ?? new PartialBlob();
  partials.set(stream, partial);
  await partial.add(bytes);
  if (!last) return new Uint8Array(0);
  partials.delete(stream);
  const { id, compressed, length } = await partial.finish();
  sealer.storeCompressed(true, id, compressed, length);
  return id;
}

let queue: Promise<void> = Promise.resolve();
port.onRequest((request) => {
  queue = queue.then(async () => {
    const reply = await answer(request).catch((error: unknown): SealReply => {
      const { code, message, hint } = asFailure(error);
      return { kind: 'failed', job: request.job, code, message, ...given('hint', hint) };
    });
    port.post(reply);
  });
});
