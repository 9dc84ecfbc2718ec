/**
 * Sealed bytes to plaintext, as fast as the platform allows: what a restore spends its time on.
 *
 * Large blobs are decrypted by a cipher object of their own, whose making small ones would not repay; they go through the general way.
 * A test holds the outcome equal to that of the general way.
 */
import { type Cipheriv, createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { Failure } from '../../base/failure.ts';
import { releaseAll } from '../../base/release.ts';
import { ENVELOPE_OVERHEAD, IV_SIZE, MAC_SIZE, type MasterKey, Sealer } from '../crypto/envelope.ts';
import { poly1305 } from '../crypto/poly1305.ts';
import { decompressBlob } from '../format/blob.ts';

const LARGE = 64 * 1024;

/** A zstd frame begins with its magic number and a descriptor, of which this bit says that a checksum of the content ends the frame. */
const ZSTD_MAGIC = 0xfd2fb528;
const CHECKSUM_BIT = 4;

export interface OpenedBlob {
  /** Its seal is whole; its id is not checked. */
  readonly plain: Buffer;
  /** Whether it is certainly what was sealed: stored as it is, or compared with a checksum made before it was compressed. */
  readonly isChecked: boolean;
}

export class BlobOpener {
  readonly #sealer: Sealer;
  readonly #key: MasterKey;
  readonly #nonceCipher: Cipheriv;

  constructor(key: MasterKey) {
    this.#sealer = new Sealer(key);
    this.#key = key;
    this.#nonceCipher = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
  }

  /** Opens the seal and decompresses. `plainLength` is 0 for a blob that is not compressed. Throws `data_damaged`. */
  open(sealed: Uint8Array, plainLength: number): OpenedBlob {
    const opened = sealed.length >= LARGE ? this.#openLarge(sealed) : this.#sealer.open(sealed);
    if (plainLength === 0) return { plain: opened, isChecked: true };
    const outcome = { plain: decompressBlob(opened, plainLength), isChecked: hasChecksum(opened) };
    releaseAll(opened);
    return outcome;
  }

  #openLarge(sealed: Uint8Array): Buffer {
    const iv = sealed.subarray(0, IV_SIZE);
    const ciphertext = sealed.subarray(IV_SIZE, sealed.length - MAC_SIZE);
    const oneTimeKey = Buffer.concat([this.#key.macR, this.#nonceCipher.update(iv)], ENVELOPE_OVERHEAD);
    if (!timingSafeEqual(poly1305(oneTimeKey, ciphertext), sealed.subarray(sealed.length - MAC_SIZE))) {
      throw new Failure('data_damaged', 'The seal of an object is broken: its MAC does not match.');
    }
    return createDecipheriv('aes-256-ctr', this.#key.encrypt, iv).update(ciphertext);
  }
}

function hasChecksum(frame: Buffer): boolean {
  return frame.length > 4 && frame.readUInt32LE(0) === ZSTD_MAGIC && ((frame[4] as number) & CHECKSUM_BIT) !== 0;
}
