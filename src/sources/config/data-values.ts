/** Where a value begins and ends in files whose values stand for themselves: .env, INI, YAML, JSON, TOML, conf files, command lines. */
import { looksRandom, type NameKind } from './secret-names.ts';
import { MASK, type Span, span } from './spans.ts';
import { isPlain, isReference, lineEnd, readLiteral, skipBlanks } from './values.ts';

/** A name's value: where it may begin, and what is known about its surroundings. */
export interface Place {
  /** After the separator; blanks may follow. */
  readonly at: number;
  readonly how: 'equals' | 'colon' | 'word' | 'flag' | 'element' | 'argument';
  /** The name stands first on its line, so that a bare value goes to the line's end. */
  readonly leading: boolean;
  /** The line is a comment: prose is left alone. */
  readonly comment: boolean;
  /** Columns before the name's line begins, for values on the following lines. */
  readonly indent: number;
  readonly quotedName: boolean;
  /** The quote that opened before the name and closes after the value (`"NAME=value"`); empty when there is none. */
  readonly enclosing: string;
  readonly kind: NameKind;
}

export interface Found {
  readonly spans: readonly Span[];
  /** Where the search for names goes on. */
  readonly next: number;
}

/** How far the end of a list is looked for. */
const LONGEST_LIST = 64 * 1024;
/** The same for names that seldom announce a secret: their values are read a second time, in search of other names. */
const LONGEST_DOUBTFUL = 200;
const TAG = /(?:[!&][^ \t\r\n]{0,100}[ \t]{1,8}){1,2}/y;
const BLOCK = /[|>][-+0-9]{0,2}[ \t]{0,8}(?:#[^\n]{0,400})?(?=\r?\n)/y;
const NUMBER = /-?[0-9][0-9.eE+-]{0,40}(?=[ \t]{0,8}(?:[,}\]\r\n]|$))/y;
/** What follows a value in a list of `name=value` pairs: `;Server=`, `&user=`, `, name:`. */
const NEXT_PAIR =
  /[;&,][ \t]{0,4}(?:(?:User|Initial|Data|Trust|Application|Integrated|Persist|SSL|Ssl|Connection|Search)[ ])?[A-Za-z_][\w.-]{0,60}[ \t]{0,4}[=:]/y;

export function valueSpans(text: string, place: Place): Found {
  if (place.how === 'element') return single(text, place, place.at, elementEnd(text, place.at));
  const at = afterTag(text, place);
  if (place.how === 'colon' && place.leading && !place.comment) {
    const below = blockBelow(text, place, at);
    if (below !== undefined) return below;
  }
  if (text[at] === '[' && place.how !== 'word') return listItems(text, place, at);
  if (text[at] === '{' && !text.startsWith('{{', at)) return { spans: [], next: at };
  const literal = readLiteral(text, at);
  if (literal !== undefined && text[at] !== place.enclosing) return quoted(text, place, literal);
  if (place.how === 'argument') return { spans: [], next: at };
  return bare(text, place, at);
}

function afterTag(text: string, place: Place): number {
  const at = skipBlanks(text, place.at);
  if (place.how !== 'colon') return at;
  TAG.lastIndex = at;
  return at + (TAG.exec(text)?.[0].length ?? 0);
}

/** Up to the closing tag, or the end of the line. */
function elementEnd(text: string, at: number): number {
  const end = lineEnd(text, at);
  const tag = text.slice(at, end).indexOf('</');
  return tag < 0 ? end : at + tag;
}

function quoted(text: string, place: Place, literal: { start: number; end: number; next: number }): Found {
  const { spans } = single(text, place, literal.start, literal.end);
  // "abc"def is one word to a shell; a value must not show because a quote closed early.
  const tail = place.how === 'equals' && place.leading ? /[^ \t\r\n"'`,;)}\]#]{1,4096}/y : undefined;
  if (tail === undefined) return { spans, next: literal.next };
  tail.lastIndex = literal.next;
  const glued = tail.exec(text)?.[0].length ?? 0;
  if (glued === 0) return { spans, next: literal.next };
  return { spans: [...spans, span(literal.next, literal.next + glued)], next: literal.next + glued };
}

function bare(text: string, place: Place, at: number): Found {
  const end = bareEnd(text, place, at);
  const value = text.slice(at, end);
  if (place.comment && /[ \t]/.test(value)) return { spans: [], next: end };
  // `requirepass value` is one word; a line with more of them is prose.
  if (place.how === 'word' && /[ \t]/.test(value)) return { spans: [], next: at };
  NUMBER.lastIndex = at;
  const isNumber = place.how === 'colon' && NUMBER.test(text);
  const needsQuotes = (place.how === 'colon' && place.enclosing === '') || isNumber;
  return single(text, place, at, end, needsQuotes ? `"${MASK}"` : MASK);
}

function bareEnd(text: string, place: Place, at: number): number {
  if (place.enclosing !== '') return enclosedEnd(text, place, at);
  if (place.how === 'flag' || !place.leading) {
    return inlineEnd(
      text,
      at,
      place.how === 'colon' ? ',}])' : '',
      place.kind === 'secret' ? LONGEST_LIST : LONGEST_DOUBTFUL,
    );
  }
  const line = text.slice(at, lineEnd(text, at));
  const comment = line.search(/[ \t][#;]/);
  const value = (comment < 0 ? line : line.slice(0, comment)).replace(/[ \t]{1,400}$/, '').replace(/[;,]$/, '');
  const flowEnd = place.quotedName && place.how === 'colon' ? value.search(/[,}\]]/) : -1;
  return at + (flowEnd < 0 ? value.length : flowEnd);
}

/** Within quotes that opened before the name: to the closing quote when the pair fills the quotes, else to the next blank. */
function enclosedEnd(text: string, place: Place, at: number): number {
  const rest = text.slice(at, at + LONGEST_LIST);
  const close = rest.search(place.enclosing === '"' ? /(?<!\\)"|\n/ : place.enclosing === "'" ? /'|\n/ : /`|\n/);
  const end = close < 0 ? rest.length : close;
  const inner = rest.slice(0, end);
  const pair = /[ \t][A-Za-z_][\w.]{0,60}=/.exec(inner);
  return pair === null ? inlineCut(text, at, at + end) : at + pair.index;
}

/** To the next blank or quote; a separator ends it when another pair follows. */
function inlineEnd(text: string, at: number, closers: string, longest = LONGEST_LIST): number {
  let end = at;
  while (end < text.length && end - at < longest) {
    const character = text[end]!;
    if (' \t\r\n"\'`<'.includes(character) || closers.includes(character)) break;
    end += character === '$' && text[end + 1] === '{' ? braceLength(text, end) : 1;
  }
  return inlineCut(text, at, end);
}

/** The length of `${…}` at `at`, so that its inside does not end a value. */
function braceLength(text: string, at: number): number {
  return /\$\{[^}\r\n]{0,400}\}/y.exec(text.slice(at, at + 404))?.[0].length ?? 1;
}

function inlineCut(text: string, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    if (!';&,'.includes(text[i]!)) continue;
    NEXT_PAIR.lastIndex = i;
    if (NEXT_PAIR.test(text)) return i;
  }
  return end > at && text[end - 1] === ';' ? end - 1 : end;
}

/** A YAML block (`|`, `>`), a list, or a value on the lines below; undefined when the value stands on the name's own line. */
function blockBelow(text: string, place: Place, at: number): Found | undefined {
  BLOCK.lastIndex = at;
  const block = BLOCK.exec(text)?.[0];
  const end = lineEnd(text, at);
  const isEmpty = at === end || /^#|^[ \t]{1,400}#/.test(text.slice(at, Math.min(end, at + 402)));
  if (block === undefined && !isEmpty) return undefined;
  const spans: Span[] = [];
  let first = -1;
  let last = -1;
  let next = end;
  for (let line = nextLine(text, end); line < text.length; line = nextLine(text, lineEnd(text, line))) {
    const stop = lineEnd(text, line);
    const start = skipBlanks(text, line);
    if (start >= stop) continue;
    const item = /^-[ \t]{1,40}/.exec(text.slice(start, start + 42))?.[0].length ?? 0;
    const deeper = start - line > place.indent || (block === undefined && item > 0 && start - line === place.indent);
    if (!deeper) break;
    if (block !== undefined) {
      if (first < 0) first = start;
      last = stop;
    } else if (!isMapping(text.slice(start + item, stop))) {
      spans.push(...single(text, place, ...itemRange(text, start + item, stop)).spans);
    } else break;
    next = stop;
  }
  if (first >= 0) spans.push(...single(text, place, first, last).spans);
  return { spans, next };
}

function nextLine(text: string, end: number): number {
  const newline = text.indexOf('\n', end);
  return newline < 0 ? text.length : newline + 1;
}

function isMapping(line: string): boolean {
  return line.startsWith('#') || /^["']?[\w.$-]{1,200}["']?[ \t]{0,8}:(?:[ \t]|$)/.test(line) || line.startsWith('{');
}

function itemRange(text: string, start: number, stop: number): [number, number, string] {
  const literal = readLiteral(text, start);
  if (literal !== undefined) return [literal.start, Math.min(literal.end, stop), MASK];
  const comment = text.slice(start, stop).search(/[ \t]#/);
  return [start, comment < 0 ? stop : start + comment, `"${MASK}"`];
}

/** `[a, "b"]`: every item. */
function listItems(text: string, place: Place, at: number): Found {
  const spans: Span[] = [];
  let i = at + 1;
  const limit = Math.min(text.length, at + (place.kind === 'secret' ? LONGEST_LIST : LONGEST_DOUBTFUL));
  while (i < limit && text[i] !== ']') {
    const literal = readLiteral(text, i);
    if (literal !== undefined) {
      spans.push(...single(text, place, literal.start, literal.end).spans);
      i = literal.next;
    } else if (' \t\r\n,'.includes(text[i]!)) i += 1;
    else if ('{['.includes(text[i]!)) return { spans, next: i };
    else {
      const end = Math.max(i + 1, inlineEnd(text, i, ',]', limit - at));
      spans.push(...single(text, place, i, end, `"${MASK}"`).spans);
      i = end;
    }
  }
  return { spans, next: i };
}

/** The one value from `start` to `end`, unless it is harmless; of a reference, its default. */
function single(text: string, place: Place, start: number, end: number, replacement: string = MASK): Found {
  const value = text.slice(start, end);
  const next = Math.max(start, end);
  if (isPlain(value) || (place.kind === 'if-random' && !looksRandom(value))) return { spans: [], next };
  if (place.how === 'colon' && /^\*[A-Za-z_][\w-]{0,100}$/.test(value)) return { spans: [], next }; // a YAML alias
  const reference = isReference(value);
  if (reference === true) return { spans: [], next };
  if (reference === false) return { spans: [span(start, end, replacement)], next };
  return { spans: [span(start + reference.start, start + reference.end)], next };
}
