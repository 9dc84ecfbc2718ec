/** Values as JSON, for rows that become text without becoming objects first. */
import { time } from './times.ts';

export function text(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}

/** ms since the epoch. */
export function moment(ms: number | null): string {
  return ms === null ? 'null' : `"${time(ms)}"`;
}

/** ms as seconds. */
export function seconds(ms: number | null): string {
  return ms === null ? 'null' : `${ms / 1_000}`;
}
