/** Names are bytes from anywhere: what is shown to a person has its control characters and broken UTF-8 escaped. */
export function printable(name: Uint8Array): string {
  const text = Buffer.from(name.buffer, name.byteOffset, name.length).toString('utf8');
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/gu, (char) => {
    const code = char.codePointAt(0) as number;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
