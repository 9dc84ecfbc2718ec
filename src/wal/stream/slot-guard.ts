/**
 * Looks after the server's disk: asks every few seconds, on a connection of its own, how much log the slot makes it keep. Warns at half of
 * the limit; where the stream does not catch up at the limit the slot has to go, because a primary without room stops working.
 */
import type { Clock } from '../../base/clock.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { ConnectionSettings } from '../../postgres/connection-settings.ts';
import { type Lsn, parseLsn } from '../../postgres/lsn.ts';
import { SqlSession } from '../../postgres/sql.ts';

export interface SlotReading {
  /** `reserved`, `extended`, `unreserved`, `lost`; null for a slot that keeps nothing. */
  readonly walStatus: string | null;
  /** Bytes until the server invalidates it; null where it never does. */
  readonly safeBytes: bigint | null;
  /** Bytes of log that the slot keeps; null when it keeps nothing. */
  readonly keptBytes: bigint | null;
  readonly serverEnd: Lsn | null;
  /** Of a primary; null on a standby. */
  readonly timeline: number | null;
  /** When the server was asked: milliseconds since the epoch. */
  readonly asked: number;
  readonly synchronousStandbyNames: string;
  readonly inRecovery: boolean;
}

export interface SlotGuardOptions {
  readonly connection: ConnectionSettings;
  readonly slot: string;
  readonly limit: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly everyMs?: number;
  readonly onReading: (reading: SlotReading) => void;
  readonly warn: (message: string, hint: string) => void;
  /** The slot keeps more than it may. */
  readonly giveUp: (keptBytes: bigint) => void;
}

const EVERY_MS = 10_000;
const QUERY = `
  SELECT s.wal_status, s.safe_wal_size::text, s.restart_lsn::text, r.standby,
         (CASE WHEN r.standby THEN coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_lsn() END)::text AS server_end,
         CASE WHEN NOT r.standby THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
         current_setting('synchronous_standby_names') AS names
    FROM (SELECT pg_is_in_recovery() AS standby) r LEFT JOIN pg_replication_slots s ON s.slot_name = $1`;

/** So many readings in a row at the limit, and none lower than the one before: the stream does not catch up. */
const READINGS = 3;

/** What was seen before. */
interface Memory {
  kept: boolean;
  safe: boolean;
  /** Readings at the limit that did not get better. */
  high: number;
  last: bigint;
}

/** Runs until the signal fires. Never rejects: a server that cannot be asked is the stream's concern. */
export async function guardSlot(options: SlotGuardOptions): Promise<void> {
  const { clock, signal, everyMs = EVERY_MS } = options;
  const memory: Memory = { kept: false, safe: false, high: 0, last: 0n };
  while (!signal.aborted) {
    try {
      await using session = await SqlSession.open(options.connection, { signal, statementTimeoutMs: everyMs });
      while (!signal.aborted) {
        judge(await read(session, options), options, memory);
        await clock.sleep(everyMs, signal);
      }
    } catch {
      await clock.sleep(everyMs, signal).catch(() => {});
    }
  }
}

async function read(session: SqlSession, { slot, clock }: SlotGuardOptions): Promise<SlotReading> {
  const asked = clock.now();
  const [row = {}] = await session.rows(QUERY, [slot], 'Reading the replication slot');
  const text = (name: string) => (typeof row[name] === 'string' ? (row[name] as string) : null);
  const lsn = (name: string) => (text(name) === null ? null : parseLsn(text(name)!));
  const restart = lsn('restart_lsn');
  const serverEnd = lsn('server_end');
  const safe = text('safe_wal_size');
  return {
    walStatus: text('wal_status'),
    safeBytes: safe === null ? null : BigInt(safe),
    keptBytes: restart === null || serverEnd === null ? null : serverEnd > restart ? serverEnd - restart : 0n,
    serverEnd,
    timeline: text('timeline') === null ? null : Number.parseInt(text('timeline')!, 16),
    asked,
    synchronousStandbyNames: text('names') ?? '',
    inRecovery: row.standby === true,
  };
}

function judge(reading: SlotReading, options: SlotGuardOptions, memory: Memory): void {
  const { limit, slot, warn, giveUp, onReading } = options;
  const { keptBytes, walStatus, safeBytes } = reading;
  onReading(reading);
  const kept = keptBytes ?? 0n;
  const isHigh = kept > BigInt(limit) / 2n;
  const isTight = walStatus === 'unreserved' || (walStatus === 'extended' && safeBytes !== null && safeBytes < kept);
  if (isHigh && !memory.kept) {
    warn(
      `Slot ${slot} makes the server keep ${formatBytes(Number(kept))} of WAL; at ${formatBytes(limit)} it is given up.`,
      'Look at the storages and the spool: "holdfast wal status". wal.slotLimit is the limit.',
    );
  }
  if (isTight && !memory.safe) {
    warn(
      `The server is about to invalidate slot ${slot} (${walStatus}, max_slot_wal_keep_size).`,
      'Raise max_slot_wal_keep_size on the server, or mend what holds the stream up: "holdfast wal status".',
    );
  }
  memory.kept = isHigh;
  memory.safe = isTight;
  memory.high = kept >= BigInt(limit) && kept >= memory.last ? memory.high + 1 : 0;
  memory.last = kept;
  if (memory.high < READINGS) return;
  memory.high = 0;
  giveUp(kept);
}
