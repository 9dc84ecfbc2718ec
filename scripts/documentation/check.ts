/** Holds the documentation against the project: links lead somewhere, commands exist. */
import { posix } from 'node:path';

export interface Documents {
  /** Path relative to the project's root → text, for every Markdown file. */
  readonly pages: ReadonlyMap<string, string>;
  /** Whether the project has this path. */
  readonly exists: (path: string) => boolean;
  /** Names of the `scripts` in package.json. */
  readonly scripts: ReadonlySet<string>;
}

export interface Problem {
  readonly page: string;
  readonly line: number;
  readonly message: string;
}

export function checkDocumentation(documents: Documents): Problem[] {
  const problems: Problem[] = [];
  for (const [page, text] of documents.pages) {
    for (const [index, line] of prose(text).entries()) {
      const found = [...brokenLinks(page, line, documents), ...unknownScripts(line, documents)];
      problems.push(...found.map((message) => ({ page, line: index + 1, message })));
    }
  }
  return problems;
}

/** The lines of a page; what stands in fenced blocks keeps its commands but loses what looks like a link. */
function prose(text: string): string[] {
  let fenced = false;
  return text.split('\n').map((line) => {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    return fenced ? line.replaceAll('](', '] (') : line;
  });
}

function brokenLinks(page: string, line: string, { pages, exists }: Documents): string[] {
  const broken: string[] = [];
  for (const [, target = ''] of line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue;
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : posix.normalize(posix.join(posix.dirname(page), decodeURI(path)));
    if (!exists(file)) broken.push(`links to ${target}, but there is no ${file}`);
    else if (anchor !== undefined && pages.has(file) && !anchors(pages.get(file) ?? '').has(anchor)) {
      broken.push(`links to ${target}, but ${file} has no such heading`);
    }
  }
  return broken;
}

/** The anchors that headings get: lower case, blanks to hyphens, everything but letters, digits, `-` and `_` dropped. */
function anchors(text: string): Set<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '');
    const anchor = plain.replaceAll(/\s/g, '-');
    let unique = anchor;
    for (let again = 1; found.has(unique); again++) unique = `${anchor}-${again}`;
    found.add(unique);
  }
  return found;
}

function unknownScripts(line: string, { scripts }: Documents): string[] {
  const named = [...line.matchAll(/\bnpm run ([\w:-]+)/g)].map(([, name = '']) => name);
  return named
    .filter((name) => !scripts.has(name))
    .map((name) => `names \`npm run ${name}\`, which package.json lacks`);
}
