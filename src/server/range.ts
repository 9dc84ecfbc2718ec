/** One range of bytes of a `Range` header (RFC 9110, 14.2). */

export interface Range {
  readonly from: number;
  /** Not included. */
  readonly to: number;
}

/** Undefined: all of it, also for forms that are not served, such as several ranges at once. */
export function rangeOf(header: string | null, size: number): Range | 'unsatisfiable' | undefined {
  const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (parts === null) return undefined;
  const [, first, last] = parts as unknown as [string, string, string];
  if (first === '' && last === '') return undefined;
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  return from >= size || from >= to ? 'unsatisfiable' : { from, to };
}
