/** Branded ids, born in parsers: text that has one of these types has been checked. */
declare const brand: unique symbol;

/** 64 lower-case hex digits: the SHA-256 of an object's stored bytes, or of a blob's plaintext. */
export type Id = string & { readonly [brand]: 'Id' };

const HEX64 = /^[0-9a-f]{64}$/;

export function isId(text: string): text is Id {
  return HEX64.test(text);
}

/** Parses an id; throws a RangeError on anything that is not 64 lower-case hex digits. */
export function id(text: string): Id {
  if (!isId(text)) throw new RangeError(`not an id (64 hex digits): ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}

/** The id whose 32 bytes stand at `bytes[offset…]`. */
export function idFromBytes(bytes: Uint8Array, offset = 0): Id {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, 32).toString('hex') as Id;
}

/** The form people see: the first eight digits. */
export function shortId(id: Id): string {
  return id.slice(0, 8);
}
