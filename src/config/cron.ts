/** Cron expressions: five fields with lists, ranges, steps and English names, or a macro such as `@daily`. Only checked, never run, here. */

interface Field {
  readonly title: string;
  readonly least: number;
  readonly most: number;
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

const FIELDS: readonly Field[] = [
  { title: 'minute', least: 0, most: 59, names: [] },
  { title: 'hour', least: 0, most: 23, names: [] },
  { title: 'day of month', least: 1, most: 31, names: [] },
  { title: 'month', least: 1, most: 12, names: MONTHS },
  { title: 'day of week', least: 0, most: 7, names: DAYS },
];

const MACROS = new Set(['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually']);

/** What is wrong with `text` as a cron expression, or undefined when nothing is. */
export function cronProblem(text: string): string | undefined {
  const trimmed = text.trim();
  if (trimmed.startsWith('@'))
    return MACROS.has(trimmed) ? undefined : `${trimmed} is none of ${[...MACROS].join(', ')}`;
  const parts = trimmed.split(/\s+/);
  if (parts.length !== FIELDS.length)
    return `has ${parts.length} fields; minute, hour, day of month, month and day of week are 5`;
  const wrong = FIELDS.findIndex((field, at) => !parts[at]!.split(',').every((item) => itemFits(item, field)));
  if (wrong >= 0) return `"${parts[wrong]}" does not fit as ${FIELDS[wrong]!.title} (${range(FIELDS[wrong]!)})`;
  return neverFires(parts) ? 'names a day of the month that none of its months has' : undefined;
}

function range({ least, most, names }: Field): string {
  return names.length === 0 ? `${least}-${most}` : `${least}-${most} or ${names[0]}-${names.at(-1)}`;
}

// `*`, `5`, `mon`, `1-5`, any of them with a step: `*/15`, `8-18/2`.
function itemFits(item: string, field: Field): boolean {
  const [span = '', step, ...more] = item.split('/');
  if (more.length > 0 || (step !== undefined && !(/^\d{1,3}$/.test(step) && Number(step) >= 1))) return false;
  if (span === '*') return true;
  const [from, to, ...rest] = span.split('-').map((end) => fieldValue(end, field));
  if (rest.length > 0 || from === undefined) return false;
  if (!span.includes('-')) return true;
  return to !== undefined && from <= to;
}

function fieldValue(text: string, { least, most, names }: Field): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return named + (names === MONTHS ? 1 : 0);
  if (!/^\d{1,2}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= least && number <= most ? number : undefined;
}

const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `0 0 31 2 *`: one fixed day of fixed months that are all too short for it. */
function neverFires(parts: readonly string[]): boolean {
  const [, , day = '', month = '', weekday = ''] = parts;
  if (weekday !== '*' || !/^\d+$/.test(day) || !/^[\d,]+$/.test(month)) return false;
  return month.split(',').every((each) => Number(day) > LONGEST[Number(each) - 1]!);
}

/** Whether `name` is a time zone this machine knows (`Europe/Madrid`, `UTC`). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
