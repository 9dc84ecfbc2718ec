/** What happened, from the archived log of an app's databases: `holdfast wal events`. */
import { formatMicroseconds } from '../base/relative-time.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';
import { earlierLsn, formatLsn, type Lsn, laterLsn } from '../postgres/lsn.ts';
import { WalArchive, type WalInventory } from '../wal/archive.ts';
import { type CoveredSpan, spans } from '../wal/coverage.ts';
import { findWalEvents, type RelationNames, type WalChange, type WalEvent } from '../wal/events.ts';
import type { WalPiece } from '../wal/piece.ts';
import type { Session } from './session.ts';
import { appClusters } from './wal/app-clusters.ts';
import { askRelationNames } from './wal/relation-names.ts';

export { DEFAULT_MIN_ROWS } from '../wal/events.ts';

export interface WalEventsInput {
  readonly app: string;
  /** Whose servers are asked for names. */
  readonly sources: readonly PostgresSourceSettings[];
  /** Milliseconds since the epoch, both included. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Rows of a relation in one transaction from which on a DELETE or UPDATE is told. */
  readonly minRows: number;
}

/** The members are those of `wal events --json`. */
export interface ToldEvent {
  readonly kind: WalEvent['kind'];
  readonly cluster: string;
  readonly timeline: number;
  /** RFC 3339, to the microsecond. */
  readonly time: string;
  readonly xid: number | null;
  /** Of a restore point. */
  readonly name: string | null;
  readonly start_lsn: string;
  readonly end_lsn: string;
  /** For `restore --lsn`: the moment just before. */
  readonly before_lsn: string;
  readonly changes: readonly ToldChange[];
}

export interface ToldChange {
  readonly kind: WalChange['kind'];
  readonly database: string | null;
  readonly database_oid: number;
  readonly relation: string | null;
  /** The number of the relation's file in the database's directory, at that time. */
  readonly file: number | null;
  readonly rows: number | null;
  /** Files that nobody can name, together. */
  readonly files: number | null;
}

export interface WalEventsReport {
  readonly app: string;
  /** By time. */
  readonly events: readonly ToldEvent[];
  /** There are more: the oldest were left out. */
  readonly truncated: boolean;
}

/** Read before the first moment asked for: transactions that were open then, names that the log told last. */
const LEAD = 64n * 1024n * 1024n;
const PAGE = 8192n;

export async function walEvents(session: Session, input: WalEventsInput): Promise<WalEventsReport> {
  const { repository, progress } = session;
  const told = new Map<string, ToldEvent>();
  let truncated = false;
  const clusters = await appClusters(repository, input.app);
  progress({ type: 'step', step: 'read', title: 'reading the archived log' });
  let bytes = 0;
  for (const cluster of clusters) {
    const archive = new WalArchive(repository, cluster);
    const inventory = await archive.list();
    const names = await firstNames(session, input, cluster);
    for (const span of spans(inventory)) {
      const wal = readSpan(archive, inventory, span, input, (length) => {
        session.signal.throwIfAborted();
        bytes += length;
        progress({ type: 'advance', step: 'read', bytes });
      });
      const found = await findWalEvents(wal, { ...askedFor(input), segmentSize: span.segmentSize, names });
      truncated ||= found.truncated;
      for (const event of found.events) {
        // what came before a promotion is in the log of both timelines
        const key = `${cluster} ${event.start} ${event.end} ${event.time}`;
        if (!told.has(key)) told.set(key, tell(event, cluster, span.timeline));
      }
    }
  }
  progress({ type: 'done', step: 'read', outcome: 'done' });
  const events = [...told.values()].sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return { app: input.app, events, truncated };
}

async function firstNames(
  { signal }: Session,
  { sources }: WalEventsInput,
  cluster: string,
): Promise<RelationNames | undefined> {
  for (const source of sources) {
    const names = await askRelationNames(source, cluster, signal);
    if (names !== undefined) return names;
  }
  return undefined;
}

function askedFor({ since, until, minRows }: WalEventsInput) {
  return { since: micros(since), until: micros(until, 999n), minRows };
}

/** The part of a span in which commits of the time asked for can be, from the start of a page. */
async function* readSpan(
  archive: WalArchive,
  inventory: WalInventory,
  span: CoveredSpan,
  input: WalEventsInput,
  took: (bytes: number) => void,
): AsyncGenerator<{ start: Lsn; bytes: Buffer }> {
  const { since = 0n, until } = askedFor(input);
  const pieces = inventory.pieces
    .map(({ piece }) => piece)
    .filter(({ timeline, start, end }) => timeline === span.timeline && start < span.end && end > span.start);
  const first = pieces.find(({ lastCommit }) => lastCommit !== undefined && lastCommit >= since)?.start ?? span.end;
  const isWithin = ({ firstCommit }: WalPiece) =>
    firstCommit !== undefined && (until === undefined || firstCommit <= until);
  // the last that may matter, not the first that does not: a clock that was set back puts later times before earlier ones
  const beyond = pieces.slice(pieces.findLastIndex(isWithin) + 1).find(({ firstCommit }) => firstCommit !== undefined);
  const from = laterLsn(span.start, input.since === undefined ? span.start : first - LEAD);
  const start = from + ((PAGE - (from % PAGE)) % PAGE);
  const end = earlierLsn(span.end, beyond?.end ?? span.end);
  if (start >= end) return;
  for await (const run of archive.read(span.timeline, start, end, inventory)) {
    took(run.bytes.length);
    yield run;
  }
}

function tell(event: WalEvent, cluster: string, timeline: number): ToldEvent {
  return {
    kind: event.kind,
    cluster,
    timeline,
    time: formatMicroseconds(event.time),
    xid: event.kind === 'commit' ? event.xid : null,
    name: event.name ?? null,
    start_lsn: formatLsn(event.start),
    end_lsn: formatLsn(event.end),
    before_lsn: formatLsn(event.before),
    changes: event.changes.map((change) => ({
      kind: change.kind,
      database: change.databaseName ?? null,
      database_oid: change.database,
      relation: change.relation ?? null,
      file: change.file?.relation ?? null,
      rows: change.rows ?? null,
      files: change.files ?? null,
    })),
  };
}

function micros(ms: number | undefined, more = 0n): bigint | undefined {
  return ms === undefined ? undefined : BigInt(Math.trunc(ms)) * 1000n + more;
}
