/**
 * Values that are expressions (settings.py, config.js, wp-config.php): every string literal in them is masked, and nothing else, so that
 * the file stays a program. The name of an environment variable that is looked up (`os.environ["SECRET_KEY"]`) is no secret.
 */
import type { Found, Place } from './data-values.ts';
import { looksRandom } from './secret-names.ts';
import { MASK, type Span, span } from './spans.ts';
import { isPlain, isReference, type Literal, lineEnd, readLiteral } from './values.ts';

/** How long an expression may be; what lies beyond is searched as if it were something new. */
const LONGEST_EXPRESSION = 64 * 1024;
/** The same for names that seldom announce a secret: their values are read a second time, in search of other names. */
const LONGEST_DOUBTFUL = 200;
const NUMBER = /[0-9]{4,40}(?=[ \t]{0,8}(?:[,;)}\]#\r\n]|$))/y;

export function expressionSpans(text: string, place: Place): Found {
  const spans: Span[] = [];
  const longest = place.kind === 'secret' ? LONGEST_EXPRESSION : LONGEST_DOUBTFUL;
  const limit = Math.min(text.length, place.at + longest);
  let depth = 0;
  let i = place.at;
  while (i < limit) {
    const character = text[i]!;
    if (isComment(text, i)) {
      i = lineEnd(text, i);
      continue;
    }
    const literal = readLiteral(text, i);
    if (literal !== undefined) {
      if (isSecret(text, literal, place)) spans.push(span(literal.start, literal.end));
      i = literal.next;
      continue;
    }
    if (depth === 0 && endsExpression(text, i)) break;
    if ('(['.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    if (depth < 0) break;
    const digits = numberAt(text, i, place, depth);
    if (digits > 0) spans.push(span(i, i + digits, `'${MASK}'`));
    i += Math.max(1, digits);
  }
  return { spans, next: i };
}

/** At the outermost level: a newline that is not continued, a comma, a semicolon, the body of a function or an object. */
function endsExpression(text: string, at: number): boolean {
  const character = text[at]!;
  if (character === '\n') return !/\\\r?$/.test(text.slice(Math.max(0, at - 2), at));
  return character === ',' || character === ';' || character === '{' || character === '}';
}

function isComment(text: string, at: number): boolean {
  return text[at] === '#' || (text[at] === '/' && text[at + 1] === '/');
}

function isSecret(text: string, literal: Literal, place: Place): boolean {
  const value = text.slice(literal.start, literal.end);
  if (isPlain(value) || isReference(value) === true) return false;
  if (place.kind === 'if-random' && !looksRandom(value)) return false;
  const before = text.slice(Math.max(0, literal.start - 66), literal.start);
  const isSubject = /[([][ \t\r\n]{0,64}[rbu]?["'`]$/i.test(before);
  return !(isSubject && /^[A-Z][A-Z0-9_]{0,99}$/.test(value));
}

/** The length of a whole number that is the value itself. */
function numberAt(text: string, at: number, place: Place, depth: number): number {
  if (depth !== 0 || place.kind !== 'secret' || text.slice(place.at, at).trim() !== '') return 0;
  NUMBER.lastIndex = at;
  return NUMBER.exec(text)?.[0].length ?? 0;
}
