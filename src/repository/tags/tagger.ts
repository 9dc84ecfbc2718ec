/**
 * A keyed tag of a chunk's bytes, ten times as fast to compute as their SHA-256: GMAC (NIST SP 800-38D), which the platform computes with the
 * processor's carry-less multiplication. Two chunks that differ have the same tag with a chance of about 2⁻¹⁰⁸, whatever their content, as long
 * as whoever makes the content does not know the key and never sees a tag. docs/decisions/0018-content-tags.md.
 */
import { createCipheriv, hash } from 'node:crypto';
import type { MasterKey } from '../crypto/envelope.ts';

/** Bytes of a tag. */
export const TAG_SIZE = 16;

/** Bytes of the shortest chunk that is tagged: below, making the cipher costs about as much as hashing. */
export const TAGGED_FROM = 64 * 1024;

/** The same for all: tags are to be equal where the bytes are. They are kept under seal only, so that they tell nothing about the key. */
const NONCE = Buffer.alloc(12);

export class Tagger {
  readonly #key: Buffer;

  constructor({ encrypt }: Pick<MasterKey, 'encrypt'>) {
    this.#key = hash('sha256', Buffer.concat([Buffer.from('holdfast content tags\0'), encrypt]), 'buffer');
  }

  tag(bytes: Uint8Array): Buffer {
    const gmac = createCipheriv('aes-256-gcm', this.#key, NONCE);
    gmac.setAAD(bytes);
    gmac.final();
    return gmac.getAuthTag();
  }
}
