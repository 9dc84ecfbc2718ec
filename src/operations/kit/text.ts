/** A document as plain text. Commands stand alone on lines that begin with four spaces. */
import { wrap } from '../../base/wrap.ts';
import type { Block, KitDocument, StepDone } from './document.ts';

const BLANK = '________________';

export function toText({ title, kicker, subtitle, verdict, sections, signed }: KitDocument): string {
  const body = sections.flatMap((section) => [
    '',
    section.title,
    '-'.repeat(section.title.length),
    ...section.blocks.flatMap(blockLines),
  ]);
  const outcome = verdict === undefined ? [] : ['', ...wrap(`${verdict.headline}. ${verdict.sentence}`)];
  const end = signed === true ? ['', ...blankLines(['Reviewed by', 'Date', 'Signature'])] : [];
  return `${[title.toUpperCase(), kicker, ...wrap(subtitle), ...outcome, ...body, ...end].join('\n')}\n`;
}

function blockLines(block: Block): string[] {
  switch (block.kind) {
    case 'text':
      return ['', ...wrap(block.text)];
    case 'facts':
      return ['', ...factLines(block.rows)];
    case 'commands':
      return ['', ...block.lines.map((line) => `    ${line}`)];
    case 'list':
      return [
        '',
        ...block.sentences.flatMap((each, at) => wrap(`${block.ordered === true ? `${at + 1}.` : '-'} ${each}`)),
      ];
    case 'blanks':
      return ['', ...blankLines(block.labels)];
    case 'steps':
      return block.steps.flatMap(stepLines);
  }
}

function factLines(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

function blankLines(labels: readonly string[]): string[] {
  return factLines(labels.map((label) => [label, BLANK]));
}

function stepLines({ number, title, what, isCommand, outcome, took, mayTake, remarks }: StepDone): string[] {
  return [
    '',
    `${number}. ${title}`,
    ...(isCommand ? [`    ${what}`] : wrap(what)),
    ...factLines([
      ['outcome', outcome],
      ['took', `${took} of ${mayTake}`],
      ...remarks.map((each) => ['said', each] as const),
    ]),
  ];
}
