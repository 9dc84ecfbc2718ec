/**
 * Names come from file systems, databases and storages; any of them may hold bytes that drive a terminal. What is shown to a person
 * passes through here first.
 */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** `text` with control, direction and line-separating characters written as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
