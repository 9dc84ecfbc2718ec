/**
 * What the tests of moments work on: a server whose every transaction is known to the microsecond, a repository, and its log put into the
 * archive piece by piece, with holes where a test wants them.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  earlierLsn,
  formatLsn,
  type Lsn,
  laterLsn,
  parseLsn,
  segmentName,
  segmentStart,
} from '../../../src/postgres/lsn.ts';
import { WalScanner } from '../../../src/postgres/wal-records.ts';
import type { Repository } from '../../../src/repository/repository.ts';
import { WalArchive } from '../../../src/wal/archive.ts';
import { MAX_PIECE_BYTES } from '../../../src/wal/piece.ts';

/** What is asked of a server here: a test server, or a sandbox that goes on as one. */
export interface KnowingServer {
  readonly dataDir: string;
  sql(text: string): Promise<readonly Record<string, unknown>[]>;
}

/** Keeps the log, and the times of commits where SQL can read them. */
export const KNOWING = { track_commit_timestamp: 'on', wal_keep_size: '512MB', max_prepared_transactions: '5' };

/** A transaction that inserted the row `n`. */
export interface KnownCommit {
  readonly n: number;
  readonly xid: number;
  /** Microseconds since the Unix epoch. */
  readonly time: bigint;
  /** The end of the log after it. */
  readonly end: Lsn;
}

/** Inserts the rows `from` to `to` into `t`, each in a transaction of its own. */
export async function commitRows(pg: KnowingServer, from: number, to: number): Promise<KnownCommit[]> {
  const known: KnownCommit[] = [];
  await pg.sql('create table if not exists t (n int primary key, xid bigint)');
  for (let n = from; n <= to; n++) {
    const [row] = await pg.sql(
      `insert into t values (${n}, (pg_current_xact_id()::text::bigint & 4294967295)) returning xid::int`,
    );
    const xid = Number(row!.xid);
    const [seen] = await pg.sql(
      `select (extract(epoch from pg_xact_commit_timestamp('${xid}'::xid)) * 1000000)::bigint::text as time,
              pg_current_wal_insert_lsn()::text as lsn`,
    );
    known.push({ n, xid, time: BigInt(String(seen!.time)), end: parseLsn(String(seen!.lsn)) });
  }
  return known;
}

export async function currentLsn(pg: KnowingServer): Promise<Lsn> {
  const [row] = await pg.sql('select pg_current_wal_flush_lsn()::text as lsn');
  return parseLsn(String(row!.lsn));
}

export async function systemIdentifier(pg: KnowingServer): Promise<string> {
  const [row] = await pg.sql('select system_identifier::text as id from pg_control_system()');
  return String(row!.id);
}

export interface ArchiveOptions {
  /** Default: the oldest segment that the server has for sure, and the end of its log. */
  readonly from?: Lsn;
  readonly to?: Lsn;
  readonly timeline?: number;
  /** Changes the bytes of a segment that begins there, before they are looked at. */
  readonly change?: (segment: Buffer, start: Lsn) => void;
}

/** Puts the server's log from `from` to `to` into the archive, segment by segment; resolves with its end. */
export async function archiveLog(
  repository: Repository,
  pg: KnowingServer,
  options: ArchiveOptions = {},
): Promise<Lsn> {
  await pg.sql('select pg_switch_wal()').catch(() => {}); // a standby cannot
  const to = options.to ?? (await currentLsn(pg));
  const { timeline = 1 } = options;
  const [row] = await pg.sql(
    "select setting::int as size, redo_lsn::text as redo from pg_settings, pg_control_checkpoint() where name = 'wal_segment_size'",
  );
  const segmentSize = Number(row!.size);
  const archive = new WalArchive(repository, await systemIdentifier(pg));
  const from = options.from ?? (await oldestLog(pg, timeline, segmentSize));
  const scanFrom = segmentStart(from, segmentSize);
  const times: { end: Lsn; time: bigint }[] = [];
  const scanner = new WalScanner(
    scanFrom,
    { commit: ({ end, time }) => void times.push({ end, time }) },
    { segmentSize },
  );
  for (let start = scanFrom; start < to; start += BigInt(segmentSize)) {
    const bytes = await readFile(join(pg.dataDir, 'pg_wal', segmentName(timeline, start, segmentSize)));
    options.change?.(bytes, start);
    scanner.push(bytes);
    const end = earlierLsn(start + BigInt(segmentSize), to);
    for (let at = laterLsn(start, from); at < end; at += BigInt(MAX_PIECE_BYTES)) {
      const pieceEnd = earlierLsn(at + BigInt(MAX_PIECE_BYTES), end);
      const within = times.filter((each) => each.end > at && each.end <= pieceEnd).map(({ time }) => time);
      within.sort((a, b) => (a < b ? -1 : 1));
      const span = {
        systemIdentifier: archive.systemIdentifier,
        ...{ timeline, segmentSize, start: at, end: pieceEnd },
        ...{ firstCommit: within[0], lastCommit: within.at(-1) },
      };
      const { piece, sealed } = await archive.seal(span, bytes.subarray(Number(at - start), Number(pieceEnd - start)));
      const { failures } = await archive.store(piece, sealed);
      if (failures.size > 0) throw new Error(`not stored: ${formatLsn(at)}`);
    }
  }
  return to;
}

async function oldestLog(pg: KnowingServer, timeline: number, segmentSize: number): Promise<Lsn> {
  const prefix = timeline.toString(16).toUpperCase().padStart(8, '0');
  const rows = await pg.sql(
    `select min(name) as name from pg_ls_waldir() where name like '${prefix}%' and length(name) = 24`,
  );
  const name = String(rows[0]!.name);
  const perLog = 0x1_0000_0000n / BigInt(segmentSize);
  const number = BigInt(`0x${name.slice(8, 16)}`) * perLog + BigInt(`0x${name.slice(16)}`);
  return number * BigInt(segmentSize);
}
