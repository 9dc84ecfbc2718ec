/**
 * Lengths of time as people write them: `500ms`, `90s`, `5m`, `1h30m`, `30d`, `4w`. A minute is `m`; months and years are not lengths of time
 * (write `365d`).
 */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof UNIT_MS;

const WHOLE = /^(?:\d{1,9}(?:ms|[smhdw]))+$/;
const PART = /(\d{1,9})(ms|[smhdw])/g;

/** A duration in milliseconds, or undefined when `text` is not one. Units may follow each other (`1h30m`), largest first, each once. */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  let previous = Number.POSITIVE_INFINITY;
  for (const [, count, unit] of text.matchAll(PART)) {
    const unitMs = UNIT_MS[unit as Unit];
    if (unitMs >= previous) return undefined;
    previous = unitMs;
    total += Number(count) * unitMs;
  }
  return total;
}

/** How a duration is written, for messages and help. */
export const DURATION_FORM = 'a number with a unit: ms, s, m, h, d or w, such as 90s, 5m, 1h30m or 30d';

/** For people: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. At most two units. */
export function formatDuration(ms: number): string {
  if (ms < 9_950) return `${(Math.max(ms, 0) / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return twoUnits(seconds, 60, 'min', 's');
  if (seconds < 86_400) return twoUnits(Math.round(seconds / 60), 60, 'h', 'min');
  return twoUnits(Math.round(seconds / 3_600), 24, 'd', 'h');
}

function twoUnits(amount: number, perLarge: number, large: string, small: string): string {
  const rest = amount % perLarge;
  const whole = `${Math.floor(amount / perLarge)} ${large}`;
  return rest === 0 ? whole : `${whole} ${rest} ${small}`;
}
