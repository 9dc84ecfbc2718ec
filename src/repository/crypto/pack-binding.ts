/**
 * What ties a pack's header to the blobs before it (decision 15).
 *
 * The seal of a header shows that this repository made the header, the seal of a blob that it made the blob; neither shows that they
 * belong together. So half of the IV of a header is drawn at random, and half is computed from that, from the header's plaintext and from IV
 * and MAC of every blob, under a key of its own. Whoever finds the seals whole and the IV as computed knows which blob stands where, without
 * hashing the pack. To everybody else, restic too, it is an IV like any other. Two packs of the same blobs still have different names.
 */
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { IV_SIZE, MAC_SIZE, type MasterKey } from './envelope.ts';

const SALT_SIZE = 8;
const PURPOSE = 'holdfast: IV of a pack header, from what the pack holds';

export class PackBinding {
  readonly #key: Buffer;

  constructor({ encrypt, macK, macR }: MasterKey) {
    this.#key = Buffer.from(hkdfSync('sha256', Buffer.concat([encrypt, macK, macR]), '', PURPOSE, 32));
  }

  /** A new IV, 16 bytes, for the plaintext of a header after these sealed blobs: all of the pack, in their order. */
  newIv(header: Uint8Array, sealedBlobs: Iterable<Uint8Array>): Buffer {
    return this.#ivFrom(randomBytes(SALT_SIZE), header, sealedBlobs);
  }

  /** Whether `iv` was made for just these. */
  isBound(iv: Uint8Array, header: Uint8Array, sealedBlobs: Iterable<Uint8Array>): boolean {
    return timingSafeEqual(iv, this.#ivFrom(iv.subarray(0, SALT_SIZE), header, sealedBlobs));
  }

  #ivFrom(salt: Uint8Array, header: Uint8Array, sealedBlobs: Iterable<Uint8Array>): Buffer {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const hmac = createHmac('sha256', this.#key).update(salt).update(length).update(header);
    for (const sealed of sealedBlobs) {
      hmac.update(sealed.subarray(0, IV_SIZE)).update(sealed.subarray(-MAC_SIZE));
    }
    return Buffer.concat([salt, hmac.digest()], IV_SIZE);
  }
}
