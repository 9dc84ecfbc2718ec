/**
 * Secrets by name: every place where a name that announces a secret is given a value, in the notations configuration is written in.
 *
 *   NAME=value · export NAME="value" · name: value · "name": "value" · name = 'value' · 'NAME' => 'value' · <name>value</name>
 *   requirepass value · --password value · ["--password", "value"] · { name: NAME, value: value } · env('NAME', 'value')
 *
 * The text is read once, from front to back: after a value the search goes on behind it, so the time is linear in the text.
 */
import { expressionSpans } from './code-values.ts';
import { type Place, valueSpans } from './data-values.ts';
import { nameKind } from './secret-names.ts';
import type { Span } from './spans.ts';
import { skipBlanks } from './values.ts';

/** `code`: values are expressions of a programming language; `data`: values stand for themselves. */
export type Dialect = 'code' | 'data';

const NAME = /[A-Za-z_][A-Za-z0-9_.-]*/g;
const SEPARATOR = /=>|:=|===?|[:=](?!\/\/)|\+=|\?=/y;
const QUOTES = '"\'`';

/** What may stand between the start of a line and a name that is assigned there: indentation, comment mark, list dash, a command. */
const LINE_LEAD =
  /^[ \t]*(?:[#;]{1,3}[ \t]*|\/\/[ \t]*)?(?:-[ \t]+)?(?:(?:export|set|SET|ENV|ARG|setenv|SetEnv|(?:proxy_set|add)_header|[a-z]{3,8}_param)[ \t]+|Environment=)?["'`]?\$?$/;
const COMMENT_LEAD = /^[ \t]*(?:[#;]|\/\/)/;
const LONGEST_LEAD = 200;

/** `"--password", "value"`, `--password value`, or the two as items of a YAML list. */
const FLAG_GAP =
  /["'][ \t\r\n]{0,64},[ \t\r\n]{0,64}(?=["'])|["']?\r?\n[ \t]{0,64}-[ \t]{1,8}|[ \t]{1,8}(?=[^ \t\r\n-])/y;

/** The sibling of `name: DB_PASSWORD` that carries its value. */
const SIBLING_VALUE = /["']?[ \t]{0,8}[,;]?[ \t]{0,8}\r?\n?[ \t]{0,64}["']?[Vv]alue["']?[ \t]{0,8}[:=]/y;

export function findAssignments(text: string, dialect: Dialect): Span[] {
  const spans: Span[] = [];
  const lines = new LineCursor(text);
  NAME.lastIndex = 0;
  for (let found = NAME.exec(text); found !== null; found = NAME.exec(text)) {
    const kind = nameKind(found[0]);
    if (kind === 'harmless') continue;
    const value = locate(text, found.index, found.index + found[0].length, lines, dialect);
    if (value === undefined) continue;
    const place = { ...value, kind };
    const result =
      dialect === 'code' && value.how !== 'element' ? expressionSpans(text, place) : valueSpans(text, place);
    spans.push(...result.spans);
    if (kind === 'secret' || result.spans.length > 0) NAME.lastIndex = Math.max(NAME.lastIndex, result.next);
  }
  return spans;
}

/** Where the value of the name at `start`…`end` begins, and what is known about its surroundings; undefined when it is given none. */
function locate(
  text: string,
  start: number,
  end: number,
  lines: LineCursor,
  dialect: Dialect,
): Omit<Place, 'kind'> | undefined {
  if (text[start - 1] === '<' && text[end] === '>') return place(end + 1, 'element');
  const quoteBefore = QUOTES.includes(text[start - 1] ?? ' ') ? text[start - 1]! : '';
  const closing = closingQuote(text, end);
  const afterName = skipBlanks(text, end + closing);
  const lead = leadOf(text, start, lines);
  const surroundings = {
    leading: lead !== undefined,
    comment: lead !== undefined && COMMENT_LEAD.test(lead),
    indent: lead === undefined ? 0 : lead.length - lead.trimStart().length,
    quotedName: closing > 0,
    enclosing: closing === 0 ? quoteBefore : '',
  };
  const separator = match(SEPARATOR, text, afterName);
  if (separator !== undefined) {
    const at = afterName + separator.length;
    const isUrlPart =
      separator === ':' && closing === 0 && !/[ \t\r\n"'[{]/.test(text[at] ?? '\n') && !surroundings.leading;
    if (isUrlPart) return undefined;
    return { ...place(at, separator === ':' ? 'colon' : 'equals'), ...surroundings };
  }
  const sibling = match(SIBLING_VALUE, text, end);
  if (sibling !== undefined)
    return { ...place(end + sibling.length, 'colon'), ...surroundings, leading: true, enclosing: '' };
  if (closing > 0 && text[afterName] === ',' && isCallArgument(text, start)) return place(afterName + 1, 'argument');
  return dialect === 'data' ? withoutSeparator(text, start, end, surroundings) : undefined;
}

type Surroundings = Pick<Place, 'leading' | 'comment' | 'indent' | 'quotedName' | 'enclosing'>;

/** `--password value`, `requirepass value`, `PASSWORD 'value'`. */
function withoutSeparator(
  text: string,
  start: number,
  end: number,
  around: Surroundings,
): Omit<Place, 'kind'> | undefined {
  if (text.slice(start - 2, start) === '--') {
    const gap = match(FLAG_GAP, text, end);
    return gap === undefined ? undefined : place(end + gap.length, 'flag');
  }
  const at = skipBlanks(text, end);
  if (at === end || '\r\n'.includes(text[at] ?? '\n')) return undefined;
  if (QUOTES.includes(text[at]!)) {
    const isStatement = /^password$/i.test(text.slice(start, end));
    return around.leading || isStatement ? { ...place(at, 'word'), ...around } : undefined;
  }
  const isDirective =
    around.leading && (!around.comment || /^(?:requirepass|masterauth)$/.test(text.slice(start, end)));
  return isDirective ? { ...place(at, 'word'), ...around } : undefined;
}

function place(at: number, how: Place['how']): Omit<Place, 'kind'> {
  return { at, how, leading: false, comment: false, indent: 0, quotedName: false, enclosing: '' };
}

/** The length of the quote (perhaps itself escaped) that closes a name. */
function closingQuote(text: string, end: number): number {
  if (text[end] === '\\' && QUOTES.includes(text[end + 1] ?? ' ')) return 2;
  return QUOTES.includes(text[end] ?? ' ') ? 1 : 0;
}

/** What stands before the name on its line, when that is nothing but a lead; otherwise undefined. */
function leadOf(text: string, start: number, lines: LineCursor): string | undefined {
  const lineStart = lines.startOf(start);
  if (start - lineStart > LONGEST_LEAD) return undefined;
  const lead = text.slice(lineStart, start);
  return LINE_LEAD.test(lead) ? lead : undefined;
}

function isCallArgument(text: string, start: number): boolean {
  return /\([ \t\r\n]{0,64}["'`]$/.test(text.slice(Math.max(0, start - 70), start));
}

function match(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** Finds line starts for positions that only grow, without looking at any character twice. */
class LineCursor {
  readonly #text: string;
  #start = 0;
  #newline: number;

  constructor(text: string) {
    this.#text = text;
    this.#newline = text.indexOf('\n');
  }

  startOf(position: number): number {
    while (this.#newline >= 0 && this.#newline < position) {
      this.#start = this.#newline + 1;
      this.#newline = this.#text.indexOf('\n', this.#start);
    }
    return this.#start;
  }
}
