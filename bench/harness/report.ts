/** Results for people: lines for the terminal, tables for `docs/performance.md`. */
import { readFile, writeFile } from 'node:fs/promises';
import type { BenchResult, Results, Row } from './results.ts';

const BEGIN = '<!-- figures: begin, written by npm run bench -->';
const END = '<!-- figures: end -->';
const MIB = 1024 * 1024;

const HEADER = ['', 'program', 'time', 'against Holdfast', 'processor', 'memory', 'stored'];

/** The result as text in columns. */
export function terminalTable(result: BenchResult): string {
  const lines = [HEADER, ...result.rows.map(cells)];
  const widths = HEADER.map((_, column) => Math.max(...lines.map((line) => (line[column] as string).length)));
  const aligned = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] as number)).join('  '));
  const figures = result.figures.map(({ what, value }) => `${what}: ${value}`);
  const missing = result.missing.map((reason) => `missing: ${reason}`);
  return [result.title, ...(result.rows.length > 0 ? aligned : []), ...figures, ...missing].join('\n');
}

/** Replaces the figures block of the page by tables of `results`, in the order of `names`. */
export async function updatePage(path: string, results: Results, names: readonly string[]): Promise<void> {
  const page = await readFile(path, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${path} has no figures block: ${BEGIN} … ${END}`);
  const sections = names.flatMap((name) =>
    results[name] ? [section(name, results[name])] : [`### ${name}\n\nNot measured yet.\n`],
  );
  await writeFile(path, `${page.slice(0, begin)}${BEGIN}\n\n${sections.join('\n')}\n${page.slice(end)}`);
}

function section(name: string, result: BenchResult): string {
  const { title, about, rows, figures, missing, machine, time } = result;
  const lines = [`### ${title}`, '', about, ''];
  if (rows.length > 0) {
    lines.push(
      markdownRow(HEADER),
      markdownRow(HEADER.map(() => '---')),
      ...rows.map((row) => markdownRow(cells(row))),
      '',
    );
  }
  if (figures.length > 0) {
    lines.push('| | |', '|---|---|', ...figures.map(({ what, value }) => markdownRow([what, value])), '');
  }
  for (const reason of missing) lines.push(`Not measured: ${reason}.`, '');
  const where = `${machine.processor}, ${machine.cores} cores, ${(machine.memory / MIB / 1024).toFixed(0)} GiB, ${machine.kernel}, Node.js ${machine.node}`;
  lines.push(`\`npm run bench -- ${name}\`, ${time.slice(0, 10)}, on ${where}; load before: ${machine.load}.`, '');
  return lines.join('\n');
}

function markdownRow(row: readonly string[]): string {
  return `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function cells(row: Row): string[] {
  const { what, program, runs, wall, ratio, cpu, rss, stored } = row;
  return [
    what,
    program,
    `${wall.toFixed(2)} s${runs === 1 ? ' (one run)' : ''}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)} ×`,
    `${cpu.toFixed(1)} s`,
    `${(rss / MIB).toFixed(0)} MiB`,
    stored === undefined ? '' : `${(stored / MIB).toFixed(1)} MiB`,
  ];
}
