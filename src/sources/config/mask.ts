/** Masks what looks like a secret in one configuration file, and keeps the rest of it byte for byte. */
import { basename } from 'node:path';
import { type Dialect, findAssignments } from './assignments.ts';
import { findPasswordLines } from './password-files.ts';
import { findShapes } from './secret-shapes.ts';
import { applySpans } from './spans.ts';

/** Larger files are not searched. */
export const LARGEST_SEARCHED = 1024 * 1024;

const CODE =
  /\.(?:py|js|mjs|cjs|ts|mts|cts|jsx|tsx|rb|php|java|kt|kts|groovy|gradle|scala|go|rs|cs|swift|lua|pl|pm|ex|exs)$/i;

/**
 * The masked content of the file at `name` (a path; what it ends in tells the notation) and how many places were masked, or undefined when the content cannot be searched: it
 * is larger than LARGEST_SEARCHED, or it is no text (it has zero bytes).
 */
export function maskSecrets(
  name: string,
  content: Uint8Array,
): { readonly content: Buffer; readonly masked: number } | undefined {
  if (content.length > LARGEST_SEARCHED || content.includes(0)) return undefined;
  const text = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString('latin1');
  const dialect: Dialect = CODE.test(name) ? 'code' : 'data';
  const result = applySpans(text, [
    ...findAssignments(text, dialect),
    ...findShapes(text),
    ...findPasswordLines(text, basename(name)),
  ]);
  return { content: Buffer.from(result.text, 'latin1'), masked: result.masked };
}
