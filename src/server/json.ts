/** JSON as the API writes it: numbers that are too large to be exact become text, as with `--json` on the command line. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return withLargeNumbers(value); // half as fast, and hardly anything has them
  }
}

function withLargeNumbers(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'bigint') return member;
    const exact = member >= Number.MIN_SAFE_INTEGER && member <= Number.MAX_SAFE_INTEGER;
    return exact ? Number(member) : member.toString();
  });
}
