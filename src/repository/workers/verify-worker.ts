/** Entry of a verifying worker: hashes packs, opens and hashes the blobs in them, compares their headers with the index. */
import { createHash, type Hash } from 'node:crypto';
import { idFromBytes } from '../../base/ids.ts';
import { ThreadPort } from '../../base/thread-port.ts';
import { Sealer } from '../crypto/envelope.ts';
import { openBlob } from '../format/blob.ts';
import { isSameHeader, type PackedBlob, parsePackHeader } from '../format/pack-header.ts';
import type { BlobTable, VerifyReply, VerifyRequest, VerifyWorkerData } from './verify-messages.ts';

const port = new ThreadPort<VerifyWorkerData, VerifyRequest, VerifyReply>();
const { masterKey } = await port.data();
const sealer = new Sealer(masterKey);

interface Stream {
  readonly hash: Hash;
  /** Bytes before the current part. */
  position: number;
  readonly expected: PackedBlob[];
}

const streams = new Map<number, Stream>();

port.onRequest((request) => {
  const reply = verify(request);
  const bytes = request.giveBack ? request.bytes : undefined;
  port.post(bytes ? { ...reply, bytes } : reply, bytes ? transferable(bytes) : []);
});

function verify({ job, stream: number, bytes, blobs, end }: VerifyRequest): VerifyReply {
  const badBlobs = blobs === undefined ? [] : wrongBlobs(bytes, blobs);
  if (end !== undefined && end.packId === undefined) return { job, badBlobs };
  const stream = streams.get(number) ?? { hash: createHash('sha256'), position: 0, expected: [] };
  streams.set(number, stream);
  stream.hash.update(bytes);
  if (blobs !== undefined) expect(stream, blobs);
  const start = stream.position;
  stream.position += bytes.length;
  if (end === undefined) return { job, badBlobs };
  streams.delete(number);
  const misnamed = stream.hash.digest('hex') !== end.packId;
  const header = blobs === undefined ? undefined : headerProblem(bytes, start, stream.expected);
  return { job, badBlobs, misnamed, ...(header === undefined ? {} : { header }) };
}

function wrongBlobs(bytes: Uint8Array, { ids, places }: BlobTable): number[] {
  const wrong: number[] = [];
  for (let i = 0; i * 32 < ids.length; i++) {
    const offset = places[i * 3] as number;
    const length = places[i * 3 + 1] as number;
    try {
      const opened = sealer.open(bytes.subarray(offset, offset + length));
      openBlob(opened, places[i * 3 + 2] as number, ids.subarray(i * 32, i * 32 + 32));
    } catch {
      wrong.push(i);
    }
  }
  return wrong;
}

function expect({ position, expected }: Stream, { ids, places, trees }: BlobTable): void {
  for (let i = 0; i * 32 < ids.length; i++) {
    expected.push({
      type: trees[i] === 1 ? 'tree' : 'data',
      id: idFromBytes(ids, i * 32),
      offset: position + (places[i * 3] as number),
      length: places[i * 3 + 1] as number,
      uncompressedLength: places[i * 3 + 2] as number,
    });
  }
}

/** The last part ends with the sealed header and its length; `start` is where the part begins in the pack. */
function headerProblem(bytes: Uint8Array, start: number, expected: readonly PackedBlob[]): string | undefined {
  const headerStart = expected.reduce((sum, { length }) => sum + length, 0) - start;
  const lengthAt = bytes.length - 4;
  if (headerStart < 0 || headerStart > lengthAt) return 'there is no room for a header';
  const stated = new DataView(bytes.buffer, bytes.byteOffset).getUint32(lengthAt, true);
  if (stated !== lengthAt - headerStart) return 'the length of the header is not what the index makes it';
  try {
    const found = parsePackHeader(sealer.open(bytes.subarray(headerStart, lengthAt)));
    return isSameHeader(found, expected) ? undefined : 'the header names other blobs than the index';
  } catch {
    return 'the header cannot be opened';
  }
}

function transferable(bytes: Uint8Array): ArrayBuffer[] {
  return bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}
