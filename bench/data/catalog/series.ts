/** Numbers 1, 2, 3 … as a table of either database, and what rows are made of: times, ids, choices. */
import { type RawBuilder, sql } from 'kysely';
import type { Filled } from '../catalog.ts';

export type Sql = RawBuilder<unknown>;

export interface Series {
  /** A table of one column, `n`. */
  readonly from: Sql;
  /** When the nth row was made, ms since the epoch: evenly spread over the span. */
  readonly time: Sql;
  /** An id as the catalog makes them, of that time. */
  readonly id: Sql;
}

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_DIGITS = 10;

/** `end` and `span` in ms: the last row was made at `end`. */
export function series({ dialect }: Filled, count: number, end: number, span: number): Series {
  const last = sql.lit(count);
  const step = Math.max(1, Math.floor(span / count));
  const time = sql`(${sql.lit(end - count * step)} + n * ${sql.lit(step)})`;
  const from =
    dialect === 'postgres'
      ? sql`generate_series(1::bigint, ${last}::bigint) as series(n)`
      : sql`(with recursive series(n) as (select 1 union all select n + 1 from series where n < ${last}) select n from series)`;
  return { from, time, id: sql`${timeDigits(time)} || ${padded(16)}` };
}

/** `n` with zeros before it. */
export function padded(digits: number): Sql {
  return sql`substr(${sql.lit('0'.repeat(digits))} || n, length('' || n) + 1)`;
}

/** One of `texts`, by `n`. */
export function oneOf(...texts: readonly string[]): Sql {
  const cases = sql.join(
    texts.map((text, at) => sql`when ${sql.lit(at)} then ${sql.lit(text)}`),
    sql` `,
  );
  return sql`case n % ${sql.lit(texts.length)} ${cases} end`;
}

function timeDigits(time: Sql): Sql {
  const digit = (place: number) => {
    const bits = sql.lit(5 * (TIME_DIGITS - 1 - place));
    return sql`substr(${sql.lit(DIGITS)}, cast(((${time} >> ${bits}) & 31) + 1 as integer), 1)`;
  };
  return sql.join(
    Array.from({ length: TIME_DIGITS }, (_, place) => digit(place)),
    sql` || `,
  );
}
