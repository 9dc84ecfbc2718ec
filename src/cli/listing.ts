/** What all lists of the service have in common: how many, from where on, since when; pages put together; a table for people, the page for programs. */
import { given } from '../base/given.ts';
import { option } from './command.ts';
import type { Context } from './context.ts';
import type { Column, Output } from './output/output.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Entries that one request may ask for. */
const MOST = 500;
const DEFAULT_LIMIT = 50;

export const pageOptions = {
  limit: option.integer('N', `at most so many (default: ${DEFAULT_LIMIT})`, 1),
  cursor: option.text('NEXT', 'go on behind an earlier page: its "next"'),
};

export const spanOptions = {
  since: option.time('T', 'from this time on'),
  until: option.time('T', 'before this time'),
};

/** What `pageOptions` took. */
export interface Wanted {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** So many entries as are wanted, in as few requests as that takes; `next` goes on behind them. */
export async function collect<T>(
  { limit = DEFAULT_LIMIT, cursor }: Wanted,
  ask: (place: { readonly limit: number; readonly cursor?: string }) => Promise<Page<T>>,
): Promise<Page<T>> {
  let page = await ask({ limit: Math.min(limit, MOST), ...given('cursor', cursor) });
  const items = [...page.items];
  while (page.next !== null && items.length < limit) {
    page = await ask({ limit: Math.min(limit - items.length, MOST), cursor: page.next });
    items.push(...page.items);
  }
  return { items, next: page.next };
}

/** `since` and `until` as the API takes them. */
export function askedOf<F extends { readonly since: number | undefined; readonly until: number | undefined }>(
  filter: F,
) {
  const { since, until, ...rest } = filter;
  return { ...rest, ...given('since', timeOf(since)), ...given('until', timeOf(until)) };
}

/** RFC 3339 in UTC. */
export function timeOf(ms: number): string;
export function timeOf(ms: number | undefined): string | undefined;
export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

/** The answer as it is with `--json`, else a table, or what it means that there is nothing. */
export async function printList<T>(
  { output, flags }: Pick<Context, 'output' | 'flags'>,
  answer: { readonly items: readonly T[]; readonly next?: unknown },
  columns: readonly Column<T>[],
  nothing: string,
): Promise<void> {
  if (flags.json) return output.document(answer);
  if (answer.items.length === 0) return output.line(nothing);
  await output.table(answer.items, columns);
  await tellMore(output, answer.next);
}

async function tellMore(output: Output, next: unknown): Promise<void> {
  if (next !== undefined && next !== null)
    await output.note(`There are more: --cursor ${String(next)}, or a larger --limit.`);
}
