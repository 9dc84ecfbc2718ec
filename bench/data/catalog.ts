/** A catalog as it is after years: made by the database itself, which is much faster than run by run. */
import { sql } from 'kysely';
import type { Catalog } from '../../src/catalog/catalog.ts';

export const APPS = 100;

/** Runs of a hundred apps and five kinds; one in a hundred failed, one in a thousand was skipped. */
export async function fillRuns(catalog: Catalog, runs: number): Promise<void> {
  const { numbers, pad } = words(catalog, runs);
  await sql`
    insert into runs (id, app, kind, params, state, priority, trigger, schedule_id, labels, not_before, attempt, max_attempts,
      created_at, started_at, finished_at, fence, cancel_requested, outcome)
    select ${pad(26)}, 'app' || (n * 7919 % ${sql.lit(APPS)}),
      case n % 5 when 0 then 'prove' when 1 then 'check' when 2 then 'prune' else 'backup' end, '{}',
      case when n % 100 = 7 then 'failed' when n % 1000 = 11 then 'skipped' else 'succeeded' end,
      0, 'schedule', 'schedule' || (n % 500), '{}', n, 1, 3, n, n, n, 1, 0, '{"bytes_read":123456789,"duration_s":12.5}'
    from ${numbers}`.execute(catalog.db);
}

/** Points of the same apps; one in a thousand is pinned, most were only stored. */
export async function fillPoints(catalog: Catalog, points: number): Promise<void> {
  const { numbers, pad } = words(catalog, points);
  await sql`
    insert into points (id, app, time, bytes, proof, pinned, sources, storages, seen_at)
    select ${pad(64)}, 'app' || (n * 7919 % ${sql.lit(APPS)}), n * 1000, n,
      case when n % 50 = 3 then 'restored' else 'stored' end, case when n % 1000 = 13 then 1 else 0 end, '["db","media"]', '["local","s3"]', n
    from ${numbers}`.execute(catalog.db);
}

export async function analyse({ db }: Catalog): Promise<void> {
  await sql`analyze`.execute(db);
}

function words({ dialect }: Catalog, count: number) {
  const last = sql.lit(count);
  if (dialect === 'postgres') {
    return {
      numbers: sql`generate_series(1::bigint, ${last}::bigint) as series(n)`,
      pad: (digits: number) => sql`lpad(n::text, ${sql.lit(digits)}, '0')`,
    };
  }
  return {
    numbers: sql`(with recursive series(n) as (select 1 union all select n + 1 from series where n < ${last}) select n from series)`,
    pad: (digits: number) => sql`printf(${sql.lit(`%0${digits}d`)}, n)`,
  };
}
