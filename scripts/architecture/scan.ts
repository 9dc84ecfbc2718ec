/**
 * Reads TypeScript just well enough to tell code from comments and strings, and to find what a file imports.
 *
 * A full parser would be a dependency; all that the rules need is here, and its tests hold it to the awkward cases.
 */

export interface Import {
  /** What stands between the quotes. */
  readonly specifier: string;
  /** Erased at run time: `import type`, `export type … from`. */
  readonly typeOnly: boolean;
  /** `import()`: happens when the code gets there, not when the file is loaded. */
  readonly lazy: boolean;
  /** Names between the braces, as they are called in the module they come from. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface Scan {
  /** The source with every comment, and the inside of every string and regular expression, replaced by blanks. Same length. */
  readonly code: string;
  readonly imports: readonly Import[];
}

export function scan(source: string): Scan {
  const code = blank(source);
  return { code, imports: findImports(source, code) };
}

/** The line (from 1) on which `offset` is. */
export function lineAt(source: string, offset: number): number {
  let line = 1;
  for (let at = source.indexOf('\n'); at !== -1 && at < offset; at = source.indexOf('\n', at + 1)) line++;
  return line;
}

/** One statement that names a module. In blanked code a specifier is quotes with blanks between. */
const STATIC = /\b(import|export)\s+(type\s+)?(?:([\w$\s,{}*]+?)\s+from\s*)?(['"])( *)\4/g;
const DYNAMIC = /\bimport\s*\(\s*(['"])( *)\1/g;

function findImports(source: string, code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC)) {
    const clause = match[3] ?? '';
    if (match[1] === 'export' && !match[0].includes('from')) continue;
    const end = match.index + match[0].length - 1;
    const specifier = source.slice(end - match[5]!.length, end);
    found.push({
      specifier,
      typeOnly: match[2] !== undefined,
      lazy: false,
      names: namesIn(clause),
      line: lineAt(source, end),
    });
  }
  for (const match of code.matchAll(DYNAMIC)) {
    const end = match.index + match[0].length - 1;
    const specifier = source.slice(end - match[2]!.length, end);
    found.push({ specifier, typeOnly: false, lazy: true, names: [], line: lineAt(source, end) });
  }
  return found;
}

function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause);
  const parts = braces?.[1]?.split(',') ?? [];
  return parts
    .map(
      (part) =>
        part
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+/)[0] ?? '',
    )
    .filter(Boolean);
}

/** A `/` after one of these begins a regular expression; after anything else it divides. */
const BEFORE_REGEXP = /(?:^|[=(,:;!&|?{}[\]+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|delete|await|yield))\s*$/;

/** Blanks everything that is not code. Template literals keep the code inside `${}`. */
function blank(source: string): string {
  const out = source.split('');
  const erase = (from: number, to: number) => {
    for (let at = from; at < Math.min(to, out.length); at++) if (out[at] !== '\n') out[at] = ' ';
  };
  /** For each open template expression, how many braces are open inside it. */
  const templates: number[] = [];
  let at = 0;
  while (at < source.length) {
    const here = source[at]!;
    const next = source[at + 1];
    if (here === '/' && next === '/') {
      const end = endOf(source, '\n', at);
      erase(at, end);
      at = end;
    } else if (here === '/' && next === '*') {
      const end = endOf(source, '*/', at + 2) + 2;
      erase(at, end);
      at = end;
    } else if (here === '"' || here === "'") {
      const end = endOfQuoted(source, here, at + 1);
      erase(at + 1, end);
      at = end + 1;
    } else if (here === '`' || (here === '}' && templates.at(-1) === 0)) {
      if (here === '}') templates.pop();
      const end = endOfTemplatePart(source, at + 1);
      erase(at + 1, end);
      if (source[end] === '$') templates.push(0);
      at = source[end] === '$' ? end + 2 : end + 1;
    } else if (here === '/' && BEFORE_REGEXP.test(out.slice(Math.max(0, at - 80), at).join(''))) {
      const end = endOfRegExp(source, at + 1);
      erase(at + 1, end);
      at = end + 1;
    } else {
      if (here === '{' && templates.length > 0) templates[templates.length - 1]!++;
      if (here === '}' && templates.length > 0) templates[templates.length - 1]!--;
      at++;
    }
  }
  return out.join('');
}

function endOf(source: string, mark: string, from: number): number {
  const end = source.indexOf(mark, from);
  return end === -1 ? source.length : end;
}

function endOfQuoted(source: string, quote: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== quote && source[at] !== '\n') at += source[at] === '\\' ? 2 : 1;
  return Math.min(at, source.length);
}

/** Where the text of a template literal ends: at its closing backtick, or at the `$` of `${`. */
function endOfTemplatePart(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '`' && !(source[at] === '$' && source[at + 1] === '{')) {
    at += source[at] === '\\' ? 2 : 1;
  }
  return Math.min(at, source.length);
}

function endOfRegExp(source: string, from: number): number {
  let inClass = false;
  let at = from;
  while (at < source.length && source[at] !== '\n' && (inClass || source[at] !== '/')) {
    if (source[at] === '[') inClass = true;
    if (source[at] === ']') inClass = false;
    at += source[at] === '\\' ? 2 : 1;
  }
  return Math.min(at, source.length);
}
