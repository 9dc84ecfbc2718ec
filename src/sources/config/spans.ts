/** Places in a text that are to be masked. Texts are byte strings (latin1): one character per byte, whatever the file's encoding. */

/** What stands in place of a secret. */
export const MASK = '***holdfast-masked***';

export interface Span {
  readonly start: number;
  /** After the last character. */
  readonly end: number;
  /** What takes its place: MASK, or MASK in quotes where the bare form would not be read as a value. */
  readonly replacement: string;
}

export function span(start: number, end: number, replacement: string = MASK): Span {
  return { start, end, replacement };
}

/** Puts the mask over all spans; overlapping ones count as one. Empty spans and those already masked are left out. */
export function applySpans(text: string, spans: readonly Span[]): { readonly text: string; readonly masked: number } {
  const merged = merge(spans.filter((one) => one.end > one.start && text.slice(one.start, one.end) !== MASK));
  const parts: string[] = [];
  let at = 0;
  for (const one of merged) {
    parts.push(text.slice(at, one.start), one.replacement);
    at = one.end;
  }
  parts.push(text.slice(at));
  return { text: parts.join(''), masked: merged.length };
}

function merge(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const next of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = merged.at(-1);
    if (last === undefined || next.start >= last.end) merged.push(next);
    else if (next.end > last.end) merged[merged.length - 1] = span(last.start, next.end, last.replacement);
  }
  return merged;
}
