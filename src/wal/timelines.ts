/**
 * Timelines: what history files say, and the way from one timeline to another.
 *
 * A history file lists every ancestor of its timeline, oldest first: `parent TLI <tab> where it was left <tab> reason`. So the file of a
 * timeline alone tells its whole way, and the lost file of an ancestor can be written again from any descendant's. Numbers need not follow
 * each other: the next timeline of 1 may be 3.
 */
import { Failure } from '../base/failure.ts';
import { formatLsn, type Lsn, parseLsn } from '../postgres/lsn.ts';

/** A timeline that was left. */
export interface Ancestor {
  readonly timeline: number;
  /** The position at which the next timeline begins. */
  readonly end: Lsn;
}

/** A stretch of log on one timeline. */
export interface PathStep {
  readonly timeline: number;
  readonly start: Lsn;
  /** Undefined on the last timeline. */
  readonly end: Lsn | undefined;
}

/** By timeline: its ancestors, oldest first. Timelines without a history file (the first one always) are absent. */
export type Histories = ReadonlyMap<number, readonly Ancestor[]>;

const ENTRY = /^\s*(\d{1,10})\s+([0-9A-Fa-f]{1,8}\/[0-9A-Fa-f]{1,8})(?:\s|$)/;
const IGNORED = /^\s*(?:#|$)/;
const MAX_TIMELINE = 0xffff_ffff;

/**
 * The ancestors that the history file of `timeline` lists. Comments, blank lines and reasons are passed over. Throws `data_damaged` when a
 * line makes no sense, or the ancestors do not rise towards `timeline`.
 */
export function parseHistory(bytes: Uint8Array, timeline: number): Ancestor[] {
  const ancestors: Ancestor[] = [];
  for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
    if (IGNORED.test(line)) continue;
    const [, parent = '', end = ''] = ENTRY.exec(line) ?? [];
    const ancestor = parent === '' ? undefined : { timeline: Number(parent), end: parseLsn(end) };
    const last = ancestors.at(-1);
    const rises = ancestor !== undefined && ancestor.timeline > (last?.timeline ?? 0) && ancestor.timeline < timeline;
    if (!rises || ancestor.timeline > MAX_TIMELINE || ancestor.end < (last?.end ?? 0n)) {
      throw new Failure(
        'data_damaged',
        `The history of timeline ${timeline} makes no sense: ${JSON.stringify(line.slice(0, 80))}.`,
      );
    }
    ancestors.push(ancestor);
  }
  return ancestors;
}

/** The name PostgreSQL gives the history file of a timeline: `00000002.history`. */
export function historyFileName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

/**
 * The ancestors of a timeline: from its own file, or from that of a descendant. Undefined when no file tells. The first timeline has none.
 */
export function ancestorsOf(histories: Histories, timeline: number): readonly Ancestor[] | undefined {
  const own = histories.get(timeline);
  if (own !== undefined || timeline === 1) return own ?? [];
  for (const ancestors of histories.values()) {
    const at = ancestors.findIndex((ancestor) => ancestor.timeline === timeline);
    if (at >= 0) return ancestors.slice(0, at);
  }
  return undefined;
}

/** A history file with the same lines PostgreSQL would write, for a timeline whose own file is lost. */
export function writeHistory(ancestors: readonly Ancestor[]): Buffer {
  const lines = ancestors.map(
    ({ timeline, end }) => `${timeline}\t${formatLsn(end)}\tfrom the history of a later timeline\n`,
  );
  return Buffer.from(lines.join(''));
}

/**
 * The way from `from` (a position on `timeline`) to the timeline `to`. Throws `moment_unreachable` when `to` does not descend from
 * `timeline`, left it before the position, or when no history file tells.
 */
export function timelinePath(histories: Histories, timeline: number, from: Lsn, to: number): PathStep[] {
  if (to === timeline) return [{ timeline, start: from, end: undefined }];
  const ancestors = ancestorsOf(histories, to);
  if (ancestors === undefined) {
    throw new Failure(
      'moment_unreachable',
      `The history of timeline ${to} (${historyFileName(to)}) is in no storage.`,
      {
        hint: 'Copy the file from the server (pg_wal) with "holdfast wal push".',
      },
    );
  }
  const at = ancestors.findIndex((ancestor) => ancestor.timeline === timeline);
  if (at < 0) throw new Failure('moment_unreachable', `Timeline ${to} does not descend from timeline ${timeline}.`);
  if (ancestors[at]!.end < from) {
    throw new Failure(
      'moment_unreachable',
      `Timeline ${to} left timeline ${timeline} at ${formatLsn(ancestors[at]!.end)}, before ${formatLsn(from)}.`,
    );
  }
  const steps = ancestors.slice(at).map(
    (ancestor, i): PathStep => ({
      timeline: ancestor.timeline,
      start: i === 0 ? from : ancestors[at + i - 1]!.end,
      end: ancestor.end,
    }),
  );
  return [...steps, { timeline: to, start: ancestors.at(-1)!.end, end: undefined }];
}

/** Timelines whose history must exist, because WAL of them is archived or a later timeline descends from them, and does not. */
export function missingHistories(histories: Histories, archived: Iterable<number>): number[] {
  const known = new Set([...archived, ...histories.keys()]);
  for (const ancestors of histories.values()) for (const { timeline } of ancestors) known.add(timeline);
  return [...known].filter((timeline) => timeline > 1 && !histories.has(timeline)).sort((a, b) => a - b);
}
