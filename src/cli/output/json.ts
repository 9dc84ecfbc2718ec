/** JSON as this program prints it: numbers that are too large to be exact become text, seconds (`…_s`) end with the milliseconds. */

/** One line of JSON. `bigint` values become numbers where that is exact, text otherwise. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, exact)}\n`;
}

/** A JSON document for people and programs alike: indented. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, exact, 2)}\n`;
}

function exact(key: string, value: unknown): unknown {
  if (typeof value === 'number' && key.endsWith('_s')) return Math.round(value * 1000) / 1000; // no clock here is finer
  if (typeof value !== 'bigint') return value;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}
