/** JSON that others wrote. */

export type JsonObject = Readonly<Record<string, unknown>>;

/** The object that `text` is; undefined where it is no JSON, or anything else than an object (an array is none). */
export function parseJsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
