/** Reads the project's Markdown: its fenced blocks, and the command lines of Holdfast that it mentions. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Texts of the project for its users; paths relative to its root. */
export function pages(): string[] {
  const found = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT, exclude: ['node_modules'] });
  return found.sort();
}

export function readPage(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export interface Block {
  readonly page: string;
  /** Of the line after the fence, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** Words after the language: `run`, `exit=4`, `file=/etc/x`. */
  readonly words: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a page, also those inside lists. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { indent: string; line: number; info: string; lines: string[] } | undefined;
  for (const [index, line] of readPage(page).split('\n').entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    else if (open === undefined) open = { indent: fence[1] ?? '', line: index + 2, info: fence[2] ?? '', lines: [] };
    else {
      const [language = '', ...words] = open.info.trim().split(/\s+/);
      blocks.push({ page, line: open.line, language, words, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  return blocks;
}

export interface Mention {
  readonly page: string;
  readonly line: number;
  /** The words after `holdfast`, comments and what other programs get left out. */
  readonly words: readonly string[];
}

/** Every `holdfast …` in shell blocks and in inline code. */
export function mentionsIn(page: string): Mention[] {
  const found: Mention[] = [];
  let fenced: string | undefined;
  for (const [index, line] of readPage(page).split('\n').entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence !== null) fenced = fenced === undefined ? (fence[1] ?? '') : undefined;
    else {
      const texts = fenced === undefined ? [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '') : [line];
      if (fenced === undefined || ['sh', 'ini', 'text'].includes(fenced)) {
        for (const words of texts.flatMap(commandLines)) found.push({ page, line: index + 1, words });
      }
    }
  }
  return found;
}

/** Ways to call the program: by name, by path, in a container. */
const CALL = /(?:^|[\s(=;&|])(?:[\w./]*\/)?holdfast((?:\s+[^\s;&|)#>]+)+)/g;

function commandLines(text: string): string[][] {
  return [...text.matchAll(CALL)].map((match) => wordsOf(match[1] ?? ''));
}

/** Words of a shell, as far as quotes go. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}
