/**
 * Secrets that show by their shape, whatever they are called: private keys, passwords in URLs, tokens of well-known services, password
 * hashes. Every expression is bounded and begins at a place that a run of its own characters cannot repeat, so that none can be made to
 * run long.
 */
import { looksRandom } from './secret-names.ts';
import { type Span, span } from './spans.ts';
import { isReference } from './values.ts';

export function findShapes(text: string): Span[] {
  return [...privateKeys(text), ...urlPasswords(text), ...tokens(text), ...authorizations(text), ...aclPasswords(text)];
}

/** A key whose end is farther away has none. */
const LONGEST_KEY = 64 * 1024;
const KEY_BEGIN = /-----BEGIN ([A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)-----/g;

/** The lines between `BEGIN … PRIVATE KEY` and its `END`; without an end, everything after. Line breaks may be written as `\n`. */
function* privateKeys(text: string): Generator<Span> {
  for (const begin of text.matchAll(KEY_BEGIN)) {
    const start = begin.index + begin[0].length;
    const found = text.slice(start, start + LONGEST_KEY).indexOf(`-----END ${begin[1]}-----`);
    const end = found < 0 ? text.length : start + found;
    const body = trimBreaks(text, start, end);
    yield span(body.start, body.end);
    if (found < 0) return;
  }
}

/** Leaves line breaks (real or written), and the indentation that follows them, outside. */
function trimBreaks(text: string, start: number, end: number): { start: number; end: number } {
  const head = /(?:[ \t]|\r|\n|\\r|\\n){1,200}/y;
  head.lastIndex = start;
  const from = Math.min(end, start + (head.exec(text)?.[0].length ?? 0));
  let to = end;
  for (;;) {
    if (to > from && ' \t\r\n'.includes(text[to - 1]!)) to -= 1;
    else if (to - 1 > from && text[to - 2] === '\\' && 'rn'.includes(text[to - 1]!)) to -= 2;
    else return { start: from, end: to };
  }
}

/** As much of a URL as is looked at. */
const URL_RUN = /[^ \t\r\n"'`<>\\]{1,1024}/y;

/** The password in `scheme://user:password@host`, and a generated user name without a password (an access token). */
function* urlPasswords(text: string): Generator<Span> {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    const start = at + 3;
    URL_RUN.lastIndex = start;
    const run = URL_RUN.exec(text)?.[0] ?? '';
    const userinfo = run.slice(0, userinfoEnd(run));
    if (userinfo === '') continue;
    const colon = colonOutsideBraces(userinfo);
    const secret = colon < 0 ? userinfo : userinfo.slice(colon + 1);
    if (secret === '' || (colon < 0 && !looksRandom(secret))) continue;
    const from = start + userinfo.length - secret.length;
    const reference = isReference(secret);
    if (reference === false) yield span(from, from + secret.length);
    else if (reference !== true) yield span(from + reference.start, from + reference.end);
  }
}

/** Where the user information ends: at the last `@` of the authority. A password may hold a raw `/`, `?` or `#`, against the rules. */
function userinfoEnd(run: string): number {
  const authorityEnd = run.search(/[/?#]/);
  const authority = authorityEnd < 0 ? run : run.slice(0, authorityEnd);
  const at = authority.lastIndexOf('@');
  if (at >= 0) return at;
  const afterColon = authority.slice(colonOutsideBraces(authority) + 1);
  const isPort = authority.indexOf(':') < 0 || /^[0-9]{0,5}$/.test(afterColon);
  return isPort ? 0 : Math.max(0, run.lastIndexOf('@'));
}

/** The first colon that is not inside `${…}`. */
function colonOutsideBraces(text: string): number {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '{') depth += 1;
    else if (text[i] === '}') depth -= 1;
    else if (text[i] === ':' && depth <= 0) return i;
  }
  return -1;
}

/** Tokens whose form their makers publish, and password hashes. */
const TOKENS = new RegExp(
  [
    `(?<![A-Za-z0-9_-])(?:${[
      'A(?:KIA|SIA)[A-Z0-9]{16}',
      'gh[pousr]_[A-Za-z0-9]{20,255}',
      'github_pat_[A-Za-z0-9_]{20,255}',
      'glpat-[A-Za-z0-9_-]{20,100}',
      'xox[abeprs]-[A-Za-z0-9-]{10,255}',
      '(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,255}',
      'sk-[A-Za-z0-9_-]{20,255}',
      'AIza[A-Za-z0-9_-]{35}',
      'ya29\\.[A-Za-z0-9_-]{20,500}',
      'SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,64}',
      'npm_[A-Za-z0-9]{36}',
      'pypi-[A-Za-z0-9_-]{20,500}',
      'hf_[A-Za-z0-9]{20,100}',
      'dop_v1_[a-f0-9]{64}',
      'hv[sb]\\.[A-Za-z0-9_-]{20,300}',
      'AGE-SECRET-KEY-1[A-Z0-9]{20,100}',
      'eyJ[A-Za-z0-9_-]{8,4000}\\.[A-Za-z0-9_-]{8,8000}\\.[A-Za-z0-9_-]{8,2000}',
      'SCRAM-SHA-(?:1|256)\\$[0-9]{1,9}:[A-Za-z0-9+/=]{4,200}\\$[A-Za-z0-9+/=:]{20,300}',
      'pbkdf2_sha[0-9]{1,3}\\$[0-9]{1,9}\\$[A-Za-z0-9./+=$]{10,300}',
    ].join('|')})`,
    String.raw`\$(?:2[abxy]|5|6|y|apr1|argon2(?:id|i|d))\$[A-Za-z0-9./+=,$-]{16,300}`,
    String.raw`(?<=hooks\.slack\.com/services/)[A-Za-z0-9/]{10,200}`,
  ].join('|'),
  'g',
);

function* tokens(text: string): Generator<Span> {
  for (const found of text.matchAll(TOKENS)) yield span(found.index, found.index + found[0].length);
}

const AUTHORIZATION = /(?<![A-Za-z])(?:Bearer|Basic|Token|Digest)[ \t]{1,4}([A-Za-z0-9+/_=.~-]{8,4000})/gi;

/** `Authorization: Bearer …` in whatever notation the header is set. */
function* authorizations(text: string): Generator<Span> {
  for (const found of text.matchAll(AUTHORIZATION)) {
    const value = found[1]!;
    const end = found.index + found[0].length;
    if (looksRandom(value)) yield span(end - value.length, end);
  }
}

const ACL_LINE = /^[ \t]{0,40}user[ \t]{1,40}[^ \t\r\n]{1,200}[^\r\n]{0,2000}/gm;
const ACL_PASSWORD = /(?<=[ \t])[>#]([^ \t]{1,512})/g;

/** Redis access lists: `user name on >password ~* +@all`. */
function* aclPasswords(text: string): Generator<Span> {
  for (const line of text.matchAll(ACL_LINE)) {
    if (!/[ \t](?:on|off|reset)(?:[ \t]|$)/.test(line[0])) continue;
    for (const found of line[0].matchAll(ACL_PASSWORD)) {
      const start = line.index + found.index + 1;
      yield span(start, start + found[1]!.length);
    }
  }
}
