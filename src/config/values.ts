/** Reading plain values of unknown shape, as YAML gives them. */
import type { Path } from './problem.ts';

/** The value at `path`, or undefined where there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

/** The entries of the mapping at `path`; none where there is no mapping. */
export function entriesAt(root: unknown, path: Path): [string, unknown][] {
  const value = valueAt(root, path);
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [];
}

/** The items of the list at `path`; none where there is no list. */
export function itemsAt(root: unknown, path: Path): readonly unknown[] {
  const value = valueAt(root, path);
  return Array.isArray(value) ? value : [];
}
