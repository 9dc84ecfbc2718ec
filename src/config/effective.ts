/** The effective values of a configuration, each with where it came from; secrets masked, none fetched. */
import type { CheckedFile } from './check-file.ts';
import { dotted, type Path } from './problem.ts';
import { isReference } from './resolve.ts';
import { MASK, masked } from './secret-paths.ts';
import { describeReference } from './secrets.ts';

export interface EffectiveValue {
  /** Keys and list positions from the top. */
  readonly keys: Path;
  /** The same, dotted. */
  readonly path: string;
  /** A scalar, or an empty list or mapping; `********` for what is secret or kept elsewhere. */
  readonly value: unknown;
  /** `file line 12`, `default`, `env R2_SECRET (file line 7)`. */
  readonly origin: string;
}

export function effectiveValues(checked: CheckedFile): readonly EffectiveValue[] {
  const { copies, storages } = checked.values;
  const required = copies.required ?? Object.keys(storages).length;
  return [...leaves(checked, { ...checked.values, copies: { ...copies, required } }, [])];
}

function* leaves(checked: CheckedFile, value: unknown, keys: Path): Generator<EffectiveValue> {
  const reference = isReference(value) ? value : undefined;
  const children = reference === undefined ? childrenOf(value) : [];
  if (children.length > 0) {
    for (const [key, child] of children) yield* leaves(checked, child, [...keys, key]);
    return;
  }
  const written = checked.isWritten(keys) ? `file line ${checked.lineOf(keys)}` : 'default';
  const origin = reference === undefined ? written : `${describeReference(reference)} (${written})`;
  yield { keys, path: dotted(keys), value: shown(value, keys, reference !== undefined), origin };
}

function childrenOf(value: unknown): [string | number, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  const entries = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  return entries.filter(([, child]) => child !== undefined);
}

function shown(value: unknown, keys: Path, isElsewhere: boolean): unknown {
  if (isElsewhere) return MASK;
  return typeof value === 'string' ? masked(keys, value) : value;
}
