/**
 * The envelope around every encrypted thing: `IV(16) ‖ ciphertext ‖ MAC(16)`.
 *
 * Cipher: AES-256 in counter mode, the IV being the first 128-bit big-endian counter block. MAC: Poly1305 over the ciphertext only, with
 * the one-time key `r ‖ AES-128(k, IV)`; it is compared in constant time and before anything is decrypted.
 *
 * A cipher object of the platform costs some 45 µs to make, more than sealing 16 KiB. So both ciphers are made once, as plain block
 * ciphers (ECB) that encrypt counter blocks; the key stream is applied in WebAssembly, where the MAC needs the bytes anyway. A test
 * holds this equal to the platform's `aes-256-ctr` and to the slow Poly1305.
 */
import { type Cipheriv, createCipheriv, randomBytes } from 'node:crypto';
import { Failure } from '../../base/failure.ts';
import { applyStream, counters, macFinish, macStart, macUpdate, memory, WINDOW_SIZE } from './poly1305.ts';

/** Bytes that sealing adds: IV and MAC. */
export const ENVELOPE_OVERHEAD = 32;
export const IV_SIZE = 16;
export const MAC_SIZE = 16;

const BLOCK = 16;
/** Bytes of IVs drawn at a time. */
const IV_POOL = 65536;

/** The keys that seal everything in a repository. `macR` is kept as drawn; Poly1305 clamps it. */
export interface MasterKey {
  /** 32 bytes, AES-256. */
  readonly encrypt: Uint8Array;
  /** 16 bytes, AES-128. */
  readonly macK: Uint8Array;
  /** 16 bytes. */
  readonly macR: Uint8Array;
}

/** Seals and opens under one key. Synchronous; make one per thread and keep it. */
export class Sealer {
  readonly #cipher: Cipheriv;
  readonly #nonceCipher: Cipheriv;
  readonly #macR: Uint8Array;
  /** Random IVs and, at the same offsets, AES-128(k, IV): drawn `IV_POOL` bytes at a time. */
  #ivs: Uint8Array = new Uint8Array(0);
  #nonces: Uint8Array = new Uint8Array(0);
  #nextIv = 0;

  constructor(key: MasterKey) {
    checkKey(key);
    this.#cipher = createCipheriv('aes-256-ecb', key.encrypt, null).setAutoPadding(false);
    this.#nonceCipher = createCipheriv('aes-128-ecb', key.macK, null).setAutoPadding(false);
    this.#macR = Uint8Array.from(key.macR);
  }

  /** The envelope of `plaintext`, `ENVELOPE_OVERHEAD` bytes longer. */
  seal(plaintext: Uint8Array): Buffer {
    const sealed = Buffer.allocUnsafe(plaintext.length + ENVELOPE_OVERHEAD);
    this.sealInto(plaintext, sealed, 0);
    return sealed;
  }

  /** Writes the envelope of `plaintext` to `target` from `offset` on and returns its length. The two must not overlap. */
  sealInto(plaintext: Uint8Array, target: Uint8Array, offset: number): number {
    const at = this.#takeIv();
    const iv = this.#ivs.subarray(at, at + IV_SIZE);
    return this.#sealUnder(iv, this.#nonces.subarray(at, at + BLOCK), plaintext, target, offset);
  }

  /** The same under an IV of the caller's, which must never have been used, nor be used, for anything but this plaintext. */
  sealUnder(iv: Uint8Array, plaintext: Uint8Array, target: Uint8Array, offset: number): number {
    return this.#sealUnder(iv, this.#nonceCipher.update(iv), plaintext, target, offset);
  }

  #sealUnder(iv: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, target: Uint8Array, offset: number): number {
    target.set(iv, offset);
    this.#startMac(nonce);
    const begin = offset + IV_SIZE;
    for (let done = 0; done < plaintext.length; done += WINDOW_SIZE) {
      const length = this.#load(plaintext, done);
      this.#crypt(iv, done, length);
      target.set(memory.window.subarray(0, length), begin + done);
      macUpdate(length);
    }
    macFinish();
    target.set(memory.key.subarray(0, MAC_SIZE), begin + plaintext.length);
    return plaintext.length + ENVELOPE_OVERHEAD;
  }

  /** The plaintext of an envelope. Throws `data_damaged` when it is too short or its MAC is not right. */
  open(sealed: Uint8Array): Buffer {
    const size = sealed.length - ENVELOPE_OVERHEAD;
    if (size < 0) throw new Failure('data_damaged', `A sealed object is cut short: ${sealed.length} bytes.`);
    const iv = sealed.subarray(0, IV_SIZE);
    const ciphertext = sealed.subarray(IV_SIZE, IV_SIZE + size);
    this.#authenticate(ciphertext, iv, sealed.subarray(IV_SIZE + size));
    const plaintext = Buffer.allocUnsafe(size);
    for (let done = 0; done < size; done += WINDOW_SIZE) {
      const length = this.#load(ciphertext, done);
      this.#crypt(iv, done, length);
      plaintext.set(memory.window.subarray(0, length), done);
    }
    return plaintext;
  }

  #authenticate(ciphertext: Uint8Array, iv: Uint8Array, expected: Uint8Array): void {
    this.#startMac(this.#nonceCipher.update(iv));
    for (let done = 0; done < ciphertext.length; done += WINDOW_SIZE) macUpdate(this.#load(ciphertext, done));
    macFinish();
    let difference = 0;
    for (let i = 0; i < MAC_SIZE; i++) difference |= memory.key[i]! ^ expected[i]!;
    if (difference !== 0) throw new Failure('data_damaged', 'The seal of an object is broken: its MAC does not match.');
  }

  #startMac(nonce: Uint8Array): void {
    memory.key.set(this.#macR);
    memory.key.set(nonce, BLOCK);
    macStart();
  }

  /** Copies the window of `bytes` that begins at `from` into WebAssembly memory; returns its length. */
  #load(bytes: Uint8Array, from: number): number {
    if (bytes.length <= WINDOW_SIZE) {
      memory.window.set(bytes);
      return bytes.length;
    }
    const piece = bytes.subarray(from, from + WINDOW_SIZE);
    memory.window.set(piece);
    return piece.length;
  }

  /** Encrypts or decrypts (it is the same) the `length` bytes in the window, which stand at `position` of the message. */
  #crypt(iv: Uint8Array, position: number, length: number): void {
    const blocks = Math.ceil(length / BLOCK);
    memory.key.set(iv);
    counters(blocks, position / BLOCK);
    memory.stream.set(this.#cipher.update(memory.stream.subarray(0, blocks * BLOCK)));
    applyStream(length);
  }

  /** Offset in the pool of an IV that was never used. */
  #takeIv(): number {
    if (this.#nextIv === this.#ivs.length) {
      this.#ivs = randomBytes(IV_POOL);
      this.#nonces = this.#nonceCipher.update(this.#ivs);
      this.#nextIv = 0;
    }
    const at = this.#nextIv;
    this.#nextIv += IV_SIZE;
    return at;
  }
}

/** The keys restic refuses as well: wrong sizes, and parts that are all zero. */
function checkKey(key: MasterKey): void {
  for (const [part, size] of [
    [key.encrypt, 32],
    [key.macK, 16],
    [key.macR, 16],
  ] as const) {
    if (part.length !== size || part.every((byte) => byte === 0)) {
      throw new Failure('repository_damaged', 'A key of the repository has the wrong size or is all zero.');
    }
  }
}
