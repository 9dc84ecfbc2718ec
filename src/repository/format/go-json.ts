/** Strings as Go's `encoding/json` writes them, which decides the bytes of a tree and so whether it deduplicates. */

/** What needs no escape at all: printable ASCII but `"`, `\`, `<`, `>` and `&`. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;

/** Besides those: control characters (what is not from space upwards), U+2028, U+2029 and lone surrogates. */
const ESCAPED = /["\\<>&\u2028\u2029\ud800-\udfff]|[^ -\u{10ffff}]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** The JSON string for `text`, quotes included. */
export function goJsonString(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : `"${text.replace(ESCAPED, escaped)}"`;
}

function escaped(char: string): string {
  return SHORT_ESCAPES[char] ?? `\\u${unit(char).toString(16).padStart(4, '0')}`;
}

/** A lone surrogate cannot be written as UTF-8; Go would have seen invalid bytes in its place. */
function unit(char: string): number {
  const code = char.charCodeAt(0);
  return code >= 0xd800 && code <= 0xdfff ? 0xfffd : code;
}
