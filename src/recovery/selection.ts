/**
 * Which paths of a point are meant: patterns such as `photos/2026/**`, followed name by name on the way down, so that only
 * directories that may hold something are read. `*` and `?` stay within a name, `**` spans directories; what a pattern names is taken
 * with everything below it.
 */
import picomatch from 'picomatch';
import { Failure } from '../base/failure.ts';

type Segment = { readonly kind: 'any' } | { readonly kind: 'name'; readonly matches: (name: string) => boolean };

/** Where in each pattern the walk stands. */
export interface Position {
  /** The names walked so far are a match: take all of it. */
  readonly taken: boolean;
  /** Nothing below can match. */
  readonly hopeless: boolean;
  enter(name: Buffer): Position;
}

/** Everything below. */
const EVERYTHING: Position = { taken: true, hopeless: false, enter: () => EVERYTHING };
const NOTHING: Position = { taken: false, hopeless: true, enter: () => NOTHING };

/** A pattern, and whether anything matched it so far. */
export class PathPattern {
  readonly text: string;
  readonly segments: readonly Segment[];
  matched = false;

  /** Throws `usage` for a pattern that cannot match anything. */
  constructor(text: string) {
    const parts = text.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.length === 0 || parts.includes('..') || text.length > 4096) {
      throw new Failure('usage', `"${text}" is not a path inside a source.`, {
        hint: 'Write paths relative to the source, such as "photos/2026/**".',
      });
    }
    this.text = text;
    this.segments = parts.map(compile);
  }

  /** Whether the first part of the pattern, taken literally, is this name. */
  beginsWith(name: string): boolean {
    const first = this.text.replace(/^[./]+/, '').split('/')[0];
    return first === name;
  }
}

/** The position at the root of a source. A pattern that begins with the name of a source counts from above it, any other from its root. */
export function startAt(source: Buffer, sources: readonly string[], patterns: readonly PathPattern[]): Position {
  if (patterns.length === 0) return EVERYTHING;
  const name = source.toString();
  let states: State[] = [];
  for (const pattern of patterns) {
    const named = sources.find((known) => pattern.beginsWith(known));
    if (named === undefined) states.push(...expand(pattern, 0));
    else if (named === name) states.push(...expand(pattern, 1));
  }
  if (states.some(({ pattern, at }) => at === pattern.segments.length)) {
    for (const { pattern, at } of states) if (at === pattern.segments.length) pattern.matched = true;
    return EVERYTHING;
  }
  states = states.filter(({ pattern, at }) => at < pattern.segments.length);
  return states.length === 0 ? NOTHING : new Walk(states);
}

interface State {
  readonly pattern: PathPattern;
  readonly at: number;
}

class Walk implements Position {
  readonly taken = false;
  readonly hopeless = false;
  readonly #states: readonly State[];

  constructor(states: readonly State[]) {
    this.#states = states;
  }

  enter(name: Buffer): Position {
    const text = name.toString();
    const next: State[] = [];
    for (const { pattern, at } of this.#states) {
      const segment = pattern.segments[at]!;
      if (segment.kind === 'any') next.push(...expand(pattern, at));
      else if (segment.matches(text)) next.push(...expand(pattern, at + 1));
    }
    const matched = next.filter(({ pattern, at }) => at === pattern.segments.length);
    for (const { pattern } of matched) pattern.matched = true;
    if (matched.length > 0) return EVERYTHING;
    return next.length === 0 ? NOTHING : new Walk(unique(next));
  }
}

/** The places a pattern may stand at when it stands at `at`: `**` may also span nothing. */
function expand(pattern: PathPattern, at: number): State[] {
  const here = { pattern, at };
  return pattern.segments[at]?.kind === 'any' ? [here, ...expand(pattern, at + 1)] : [here];
}

function unique(states: readonly State[]): State[] {
  return states.filter((state, i) => {
    const first = states.findIndex(({ pattern, at }) => pattern === state.pattern && at === state.at);
    return first === i;
  });
}

function compile(part: string): Segment {
  if (part === '**') return { kind: 'any' };
  // a name that looks like a pattern, `scan [1].png`, is also meant as it is written
  const isPattern = /[*?[\]{}()!+@\\]/.test(part);
  const fits = isPattern ? picomatch(part, { dot: true }) : () => false;
  return { kind: 'name', matches: (name) => name === part || fits(name) };
}
