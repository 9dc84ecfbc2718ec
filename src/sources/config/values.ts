/** How values are written: quoted, bare, or as a reference to something kept elsewhere. */
import { MASK } from './spans.ts';

/** Words that are never a secret, whatever they are assigned to. */
const PLAIN_WORDS = /^(?:true|false|yes|no|on|off|none|null|nil|undefined|~|[01])$/i;

/** A value that says where the secret is: a file of keys, a mounted secret. */
const PLACE =
  /^(?:\/run\/secrets\/[\w./-]{1,300}|(?:\.{0,2}|~)\/[\w./-]{1,300}\.(?:key|pem|crt|cer|der|pub|p8|p12|pfx|jks|jwk|json|txt))$/;

/**
 * Whether `value` only refers to a secret: `${NAME}`, `$NAME`, `{{ name }}`, `%(name)s`, `<%= … %>`. Of a reference with a default
 * (`${NAME:-default}`) the place of the default within the value is given, because that is a secret in clear.
 */
export function isReference(value: string): boolean | { readonly start: number; readonly end: number } {
  if (value.length > 4096) return false;
  if (/^\$[A-Z_][A-Z0-9_]*$|^%\([\w.-]+\)s$|^<%[^%]*%>$|^\{\{[^{}]*\}\}$|^\$\{\{[^{}]*\}\}$/.test(value)) return true;
  const braces = /^\$\{[A-Za-z_][\w.]{0,200}(:?[-=+?])?/.exec(value);
  if (braces === null || !value.endsWith('}')) return false;
  const inner = { start: braces[0].length, end: value.length - 1 };
  const fallback = value.slice(inner.start, inner.end);
  if (braces[1] === undefined) return fallback === '' && !value.slice(0, -1).includes('}');
  if (fallback.includes('}') && !fallback.includes('${')) return false;
  const harmless =
    braces[1].endsWith('?') || fallback === '' || isReference(fallback) === true || PLAIN_WORDS.test(fallback);
  return harmless ? true : inner;
}

/** Whether `value`, without its quotes, cannot be a secret. */
export function isPlain(value: string): boolean {
  return value === '' || value === MASK || PLAIN_WORDS.test(value) || PLACE.test(value);
}

export interface Literal {
  /** Between the quotes. */
  readonly start: number;
  readonly end: number;
  /** After the closing quote. */
  readonly next: number;
}

const FENCES = ['"""', "'''", '\\"', "\\'"] as const;

/** How far the closing quote is looked for. */
const LONGEST_LITERAL = 64 * 1024;

/**
 * The string literal that begins at `at`, or undefined. Knows triple quotes, backslash escapes, doubled single quotes, and quotes that
 * are themselves escaped (`\"` inside a JSON string). One that is never closed ends with its line.
 */
export function readLiteral(text: string, at: number): Literal | undefined {
  if (!'"\'`\\'.includes(text[at] ?? ' ')) return undefined;
  for (const fence of FENCES) {
    if (text.startsWith(fence, at)) return fenced(text, at, fence);
  }
  // Inside a string in single quotes (PostgreSQL's settings), quotes are doubled: 'host=db password=''with spaces'''
  if (/''(?=[^\s'",;)}\]#])/y.test(text.slice(at, at + 3))) return fenced(text, at, "''");
  const quote = text[at];
  if (quote !== '"' && quote !== "'" && quote !== '`') return undefined;
  const start = at + 1;
  const limit = Math.min(text.length, start + LONGEST_LITERAL);
  for (let i = start; i < limit; i++) {
    if (text[i] === '\\' && escapes(text, i, quote)) i += 1;
    else if (text[i] === quote) {
      if (quote !== "'" || text[i + 1] !== "'") return { start, end: i, next: i + 1 };
      i += 1; // a doubled single quote stands for one
    }
  }
  return unclosed(text, start);
}

/** Single quotes know no escapes in shells and YAML: there `\'` closes, unless another quote follows on the line. */
function escapes(text: string, at: number, quote: string): boolean {
  if (quote !== "'" || text[at + 1] !== "'") return true;
  for (let i = at + 2; i < text.length && i < at + 4096 && text[i] !== '\n'; i++) if (text[i] === "'") return true;
  return false;
}

function fenced(text: string, at: number, fence: string): Literal {
  const start = at + fence.length;
  const length = text.slice(start, start + LONGEST_LITERAL).indexOf(fence);
  if (length < 0) return unclosed(text, start);
  return { start, end: start + length, next: start + length + fence.length };
}

function unclosed(text: string, start: number): Literal {
  const end = lineEnd(text, start);
  return { start, end, next: end };
}

/** The position of the line's end (a carriage return before the newline belongs to the end). */
export function lineEnd(text: string, at: number): number {
  const newline = text.indexOf('\n', at);
  const end = newline < 0 ? text.length : newline;
  return end > at && text[end - 1] === '\r' ? end - 1 : end;
}

/** The first position from `at` that is neither space nor tab. */
export function skipBlanks(text: string, at: number): number {
  let i = at;
  while (text[i] === ' ' || text[i] === '\t') i += 1;
  return i;
}
