/**
 * What a terminal shows after a program wrote to it: enough of one for what Holdfast prints (line ends, cursor up, erasing, colours and
 * weights). Whatever else comes is left out.
 */

export interface Pen {
  readonly colour: 'plain' | 'red' | 'green' | 'yellow' | 'cyan';
  readonly bold: boolean;
  readonly dim: boolean;
}

/** Neighbouring characters written with the same pen. */
export interface Span extends Pen {
  readonly text: string;
}

export type Screen = readonly (readonly Span[])[];

interface Cell {
  readonly char: string;
  readonly pen: Pen;
}

const PLAIN: Pen = { colour: 'plain', bold: false, dim: false };
const COLOURS: Readonly<Record<number, Pen['colour']>> = {
  31: 'red',
  32: 'green',
  33: 'yellow',
  36: 'cyan',
  39: 'plain',
};
const ESCAPE = '\u001b';

/** The lines on a screen of so many columns in the end; empty ones at its bottom are left out. */
export function screenAfter(output: string, columns: number): Screen {
  const screen = new Paper(columns);
  const chars = [...output];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] as string;
    if (char !== ESCAPE) screen.write(char);
    else if (chars[at + 1] === '[') {
      let end = at + 2;
      while (end < chars.length && !/[@-~]/.test(chars[end] as string)) end++;
      screen.control(chars[end] ?? '', chars.slice(at + 2, end).join(''));
      at = end;
    }
  }
  return screen.lines();
}

class Paper {
  readonly #rows: Cell[][] = [[]];
  #row = 0;
  #column = 0;
  #pen = PLAIN;
  readonly #columns: number;

  constructor(columns: number) {
    this.#columns = columns;
  }

  write(char: string): void {
    if (char === '\r') this.#column = 0;
    else if (char === '\n') this.#down();
    else if (char >= ' ') this.#put(char);
  }

  control(command: string, parameters: string): void {
    const [first = 0, ...rest] = parameters.split(';').map(Number);
    if (command === 'A') this.#row = Math.max(0, this.#row - (first || 1));
    else if (command === 'J' || command === 'K') this.#erase(command);
    else if (command === 'm') for (const code of [first, ...rest]) this.#pen = penAfter(this.#pen, code);
  }

  lines(): Screen {
    const lines = this.#rows.map(toSpans);
    while (lines.at(-1)?.length === 0) lines.pop();
    return lines;
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.#rows.length) this.#rows.push([]);
  }

  #put(char: string): void {
    if (this.#column === this.#columns) {
      this.#down();
      this.#column = 0;
    }
    const row = this.#rows[this.#row] as Cell[];
    while (row.length < this.#column) row.push({ char: ' ', pen: PLAIN });
    row[this.#column++] = { char, pen: this.#pen };
  }

  #erase(command: 'J' | 'K'): void {
    this.#rows[this.#row]?.splice(this.#column);
    if (command === 'J') this.#rows.splice(this.#row + 1);
  }
}

function penAfter(pen: Pen, code: number): Pen {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...pen, bold: true };
  if (code === 2) return { ...pen, dim: true };
  if (code === 22) return { ...pen, bold: false, dim: false };
  const colour = COLOURS[code];
  return colour === undefined ? pen : { ...pen, colour };
}

function toSpans(row: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  for (const { char, pen } of row) {
    const last = spans.at(-1);
    const same = last?.colour === pen.colour && last.bold === pen.bold && last.dim === pen.dim;
    if (same) spans[spans.length - 1] = { ...last, text: last.text + char };
    else spans.push({ ...pen, text: char });
  }
  return spans;
}
