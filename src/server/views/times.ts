/** Times and spans as the API writes them. */

export function time(ms: number): string {
  return new Date(ms).toISOString();
}

export function timeOrNull(ms: number | undefined | null): string | null {
  return ms === undefined || ms === null ? null : time(ms);
}

export function secondsOrNull(ms: number | undefined): number | null {
  return ms === undefined ? null : ms / 1_000;
}

/** What a caller gave; checked to be a time before. */
export function milliseconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}
