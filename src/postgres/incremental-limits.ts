/**
 * Where relations were cut short since the earlier copy, from the server's own summaries of the log.
 *
 * A relation that was cut short and grew again may have pages of zeros that no log record speaks of. The server's incremental backup then states
 * the new length, and leaves such pages to be taken from the earlier copy, which has old rows there (seen in 17.10 and 18.4; a fix was
 * proposed in July 2026). Knowing the limit, nothing beyond it is taken over.
 */
import { formatLsn, type Lsn } from './lsn.ts';
import { relationKey } from './relation-path.ts';
import type { SqlSession } from './sql.ts';

/** For relations that were cut short (keys as in `mainForkOf`): the smallest number of pages they had since. */
export type RelationLimits = ReadonlyMap<string, number>;

/** Read when the backup has begun at `end`: by then the server has summarised everything before. Summaries are chosen as the server does. */
export async function readLimits(sql: SqlSession, timeline: number, start: Lsn, end: Lsn): Promise<RelationLimits> {
  const rows = await sql.rows(
    `SELECT c.reltablespace::text AS space, c.reldatabase::text AS database, c.relfilenode::text AS file, min(c.relblocknumber)::text AS pages
       FROM pg_available_wal_summaries() s, pg_wal_summary_contents(s.tli, s.start_lsn, s.end_lsn) c
      WHERE s.tli = $1 AND s.end_lsn > $2 AND s.start_lsn < $3 AND c.is_limit_block AND c.relforknumber = 0
      GROUP BY 1, 2, 3`,
    [timeline, formatLsn(start), formatLsn(end)],
    'Reading the summaries of the log',
  );
  return new Map(
    rows.map(({ space, database, file, pages }) => [
      relationKey(String(space), String(database), String(file)),
      Number(pages),
    ]),
  );
}
