/**
 * The plaintext of index, snapshot and lock files: JSON as it is, or the byte 0x02 and one zstd frame of it. (`config` and key files
 * are plain JSON always.)
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { errorCode } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';

const COMPRESSED = 0x02;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const LEVEL = 3;

/** Far above an index of 50,000 blobs (8 MiB), far below what would hurt. */
const DEFAULT_MAX_SIZE = 256 * 1024 * 1024;

/** `json`: the text, or its bytes. */
export function encodeUnpacked(json: string | Uint8Array, compress: boolean): Buffer {
  const raw = typeof json === 'string' ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.length);
  if (!compress) return raw;
  const frame = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
  return Buffer.concat([Buffer.of(COMPRESSED), frame]);
}

/** The JSON text. Throws `data_damaged` on anything else than the two forms, and beyond `maxSize` bytes of it. */
export function decodeUnpacked(bytes: Uint8Array, maxSize = DEFAULT_MAX_SIZE): string {
  return decodeUnpackedBytes(bytes, maxSize).toString();
}

/** Like `decodeUnpacked`, without making a string of it; may be a view of `bytes`. */
export function decodeUnpackedBytes(bytes: Uint8Array, maxSize = DEFAULT_MAX_SIZE): Buffer {
  const first = bytes[0];
  if (first === COMPRESSED) return decompress(bytes.subarray(1), maxSize);
  if (first !== BRACE && first !== BRACKET) {
    throw new Failure('data_damaged', 'A repository file is neither JSON nor compressed JSON.');
  }
  if (bytes.length > maxSize) throw tooLarge(maxSize);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function decompress(frame: Uint8Array, maxSize: number): Buffer {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: maxSize });
  } catch (cause) {
    if (errorCode(cause) === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxSize);
    throw new Failure('data_damaged', 'A repository file cannot be decompressed.', { cause });
  }
}

function tooLarge(maxSize: number): Failure {
  return new Failure('data_damaged', `A repository file is larger than ${maxSize} bytes once decompressed.`);
}
