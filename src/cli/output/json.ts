/** JSON as this program prints it: numbers that are too large to be exact become text. */

/** One line of JSON. `bigint` values become numbers where that is exact, text otherwise. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, exact)}\n`;
}

/** A JSON document for people and programs alike: indented. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, exact, 2)}\n`;
}

function exact(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}
