/** The kit as plain text. Commands stand alone on lines that begin with four spaces. */
import type { Block, KitDocument } from './sections.ts';

const WIDTH = 96;

export function toText({ title, subtitle, sections }: KitDocument): string {
  const body = sections.flatMap((section) => [
    '',
    section.title,
    '-'.repeat(section.title.length),
    ...section.blocks.flatMap(blockLines),
  ]);
  return `${[title.toUpperCase(), subtitle, ...body].join('\n')}\n`;
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      return ['', ...wrap(block.text)];
    case 'facts': {
      const width = Math.max(...block.rows.map(([name]) => name.length));
      return ['', ...block.rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`)];
    }
    case 'commands':
      return ['', ...block.lines.map((line) => `    ${line}`)];
  }
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
