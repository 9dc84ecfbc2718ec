/** JSON as the API writes it: numbers that are too large to be exact become text, as with `--json` on the command line. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return withLargeNumbers(value); // half as fast, and hardly anything has them
  }
}

/** A page of a list, of items that are JSON already, in UTF-8. `next`: an id, a number or nothing. */
export function pageText(items: readonly string[], next: string | number | null): Buffer<ArrayBuffer> {
  return Buffer.from(`{"items":[${items.join(',')}],"next":${JSON.stringify(next)}}`);
}

function withLargeNumbers(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'bigint') return member;
    const exact = member >= Number.MIN_SAFE_INTEGER && member <= Number.MAX_SAFE_INTEGER;
    return exact ? Number(member) : member.toString();
  });
}
