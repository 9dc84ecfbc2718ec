/** One thing told in full: a title, and a line for each fact that there is. */
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import type { Output } from './output.ts';

/** A name and what there is to say; nothing to say leaves the line out. `paint` comes last: escape codes of others are made harmless. */
export type Fact = readonly [name: string, text: string | null | undefined, paint?: (text: string) => string];

const same = (text: string) => text;

export async function printFacts(output: Output, title: string, facts: readonly Fact[]): Promise<void> {
  const told = facts.filter(([, text]) => text !== null && text !== undefined && text !== '');
  const width = Math.max(0, ...told.map(([name]) => name.length));
  await output.line(output.style.bold(printable(title)));
  for (const [name, text, paint = same] of told)
    await output.line(`  ${name.padEnd(width)}  ${paint(printable(text!))}`);
}

/** A time of the API in UTC and local time; a dash where there is none. */
export function moment(time: string | null | undefined): string {
  return time == null ? '–' : formatUtcAndLocal(Date.parse(time));
}

/** The same for a fact, which is left out. */
export function momentIfAny(time: string | null | undefined): string | null {
  return time == null ? null : moment(time);
}

/** `{ label: 'x', source: ['a', 'b'] }` → `label=x source=a,b`. */
export function pairs(values: Readonly<Record<string, unknown>>): string {
  const text = (value: unknown) =>
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
  const all = (value: unknown) => (Array.isArray(value) ? value.map(text).join(',') : text(value));
  return Object.entries(values)
    .map(([name, value]) => `${name}=${all(value)}`)
    .join(' ');
}
