/** Tables for people: aligned columns, cut to the width of the terminal, names made harmless. */
import { printable } from '../../base/printable.ts';
import type { Style } from './style.ts';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** Applied after alignment, so that escape codes do not count as width. */
  readonly paint?: (text: string, row: Row) => string;
  /** This column gives way first when the terminal is too narrow. */
  readonly shrinks?: boolean;
}

const GAP = '  ';
const LEAST_WIDTH = 8;

/** The lines of the table, header first. `width` is that of the terminal (`Infinity` for none). */
export function tableLines<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  { width, style }: { readonly width: number; readonly style: Style },
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.value(row))));
  const widths = columns.map((column, at) =>
    cells.reduce((widest, row) => Math.max(widest, displayWidth(row[at]!)), displayWidth(column.title)),
  );
  shrink(widths, columns, width);
  const header = columns.map((column, at) => fit(column.title, widths[at]!, column.align));
  const body = rows.map((row, line) =>
    columns.map((column, at) => {
      const text = fit(cells[line]![at]!, widths[at]!, column.align);
      return column.paint === undefined ? text : column.paint(text, row);
    }),
  );
  return [style.bold(header.join(GAP).trimEnd()), ...body.map((line) => line.join(GAP).trimEnd())];
}

function shrink(widths: number[], columns: readonly Column<never>[], width: number): void {
  const order = [...columns.keys()].sort(
    (a, b) => Number(columns[b]!.shrinks ?? false) - Number(columns[a]!.shrinks ?? false),
  );
  for (const at of order) {
    const excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
    if (excess <= 0) return;
    widths[at] = Math.max(Math.min(LEAST_WIDTH, widths[at]!), widths[at]! - excess);
  }
}

function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const cut = truncate(text, width);
  const padding = ' '.repeat(Math.max(0, width - displayWidth(cut)));
  return align === 'right' ? padding + cut : cut + padding;
}

/** `text` in at most `width` columns, an ellipsis at the end of what was cut. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const character of text) {
    const wide = displayWidth(character);
    if (used + wide > width - 1) break;
    cut += character;
    used += wide;
  }
  return width < 1 ? '' : `${cut}…`;
}

const COMBINING = /^\p{M}$/u;
const WIDE =
  /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]$|^\p{Emoji_Presentation}$/u;

/** Columns that `text` takes on a terminal; East Asian wide characters and emoji take two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}
