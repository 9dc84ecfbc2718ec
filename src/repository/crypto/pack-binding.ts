/**
 * What ties a pack's header to the blobs before it (decision 15).
 *
 * The seal of a header shows that this repository made the header, the seal of a blob that it made the blob; neither shows that they
 * belong together. So the IV of a header is not drawn at random but computed, under a key of its own, from the header's plaintext and
 * from IV and MAC of every blob. Whoever finds the seals whole and the IV as computed knows which blob stands where, without hashing the
 * pack. To everybody else, restic too, it is an IV like any other.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import type { MasterKey } from './envelope.ts';

const IV_SIZE = 16;
const MAC_SIZE = 16;
const PURPOSE = 'holdfast: IV of a pack header, from what the pack holds';

export class PackBinding {
  readonly #key: Buffer;

  constructor({ encrypt, macK, macR }: MasterKey) {
    this.#key = Buffer.from(hkdfSync('sha256', Buffer.concat([encrypt, macK, macR]), '', PURPOSE, 32));
  }

  /** The IV, 16 bytes, for the plaintext of a header after these sealed blobs: all of the pack, in their order. */
  ivFor(header: Uint8Array, sealedBlobs: Iterable<Uint8Array>): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const hmac = createHmac('sha256', this.#key).update(length).update(header);
    for (const sealed of sealedBlobs) {
      hmac.update(sealed.subarray(0, IV_SIZE)).update(sealed.subarray(-MAC_SIZE));
    }
    return hmac.digest().subarray(0, IV_SIZE);
  }
}
