/** Receiving an object's bytes into memory of exactly the promised size. */
import { Failure } from '../../base/failure.ts';
import { MAX_OBJECT_BYTES } from '../bytes.ts';

/** `label` stands in front of messages: "r2: config". */
export async function readBody(label: string, body: AsyncIterable<unknown>, size: number): Promise<Uint8Array> {
  if (size > MAX_OBJECT_BYTES) throw new Failure('data_damaged', `${label} is larger than an object can be.`);
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('the SDK handed over something that is not bytes');
    if (filled + chunk.byteLength > size) throw cutShort(label, size, 'more');
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  if (filled < size) throw cutShort(label, size, String(filled));
  return bytes;
}

function cutShort(label: string, promised: number, came: string): Failure {
  return new Failure('storage_unreachable', `${label}: the service promised ${promised} bytes and sent ${came}.`, {
    hint: 'Look at the network and at proxies between here and the service.',
  });
}
