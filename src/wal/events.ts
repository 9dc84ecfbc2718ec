/**
 * What happened, out of the log: commits that deleted or updated many rows, truncated, dropped or rewrote relations, restore points; each
 * with the position just before it, to which one can go back. Names come from the caller, and from the log itself where it tells them.
 */
import type { Lsn } from '../postgres/lsn.ts';
import { type CommitRecord, type RecordPlace, type RestorePointRecord, WalScanner } from '../postgres/wal-records.ts';
import { LearnedCatalog } from './events/catalog.ts';
import { judge, type RawChange } from './events/judge.ts';
import { nameChanges, type RelationNames, type WalChange } from './events/names.ts';
import { Recorder, wantsRecord } from './events/recorder.ts';
import { OpenTransactions } from './events/transactions.ts';

export type { NamedRelation, RelationNames, WalChange } from './events/names.ts';

export interface WalEvent extends RecordPlace {
  readonly kind: 'commit' | 'restore point';
  /** Microseconds since the Unix epoch. */
  readonly time: bigint;
  /** 0 for a restore point. */
  readonly xid: number;
  /** Of a restore point. */
  readonly name: string | undefined;
  /** The end of what came before: recovery up to here, this included, does not see the event. */
  readonly before: Lsn;
  readonly changes: readonly WalChange[];
}

export interface WalEvents {
  /** In the order of the log. */
  readonly events: readonly WalEvent[];
  /** Older events than these were left out: there are more than `MAX_EVENTS`. */
  readonly truncated: boolean;
  /** Up to where records were read. */
  readonly end: Lsn;
}

export interface WalEventOptions {
  readonly segmentSize: number;
  /** Rows of a relation in one transaction from which on a DELETE or UPDATE is told. Default 1,000. */
  readonly minRows?: number;
  /** Commits and restore points to tell; microseconds since the Unix epoch, both included. */
  readonly since?: bigint | undefined;
  readonly until?: bigint | undefined;
  /** Names of relations by file, of a running server for instance; they win over what the log tells. */
  readonly names?: RelationNames | undefined;
}

/** The newest are kept. */
const MAX_EVENTS = 10_000;
export const DEFAULT_MIN_ROWS = 1000;

type RawEvent = Omit<WalEvent, 'changes'> & {
  readonly changes: readonly RawChange[];
  readonly rewritten: readonly number[];
};

/** Reads a contiguous run of WAL that begins at the start of a page. */
export async function findWalEvents(
  wal: AsyncIterable<{ readonly start: Lsn; readonly bytes: Uint8Array }>,
  options: WalEventOptions,
): Promise<WalEvents> {
  let finder: EventFinder | undefined;
  for await (const { start, bytes } of wal) {
    finder ??= new EventFinder(start, options);
    finder.push(bytes);
  }
  return finder?.result() ?? { events: [], truncated: false, end: 0n };
}

class EventFinder {
  readonly #options: WalEventOptions;
  readonly #open = new OpenTransactions();
  readonly #catalog: LearnedCatalog;
  readonly #scanner: WalScanner;
  #events: RawEvent[] = [];
  #truncated = false;

  constructor(start: Lsn, options: WalEventOptions) {
    this.#options = options;
    this.#catalog = new LearnedCatalog(() => this.#scanner.major);
    const recorder = new Recorder(this.#open, this.#catalog);
    const handler = {
      commit: (record: CommitRecord) => this.#commit(record),
      restorePoint: (record: RestorePointRecord) => this.#restorePoint(record),
      wants: wantsRecord,
      record: recorder.take.bind(recorder),
    };
    this.#scanner = new WalScanner(start, handler, { segmentSize: options.segmentSize });
  }

  push(bytes: Uint8Array): void {
    this.#scanner.push(bytes);
  }

  result(): WalEvents {
    const events = this.#events.slice(-MAX_EVENTS).flatMap(({ changes, rewritten, ...event }): WalEvent[] => {
      const named = nameChanges(changes, rewritten, this.#catalog, this.#options.names);
      return named.length === 0 && event.kind === 'commit' ? [] : [{ ...event, changes: named }];
    });
    const truncated = this.#truncated || this.#events.length > MAX_EVENTS;
    return { events, truncated, end: this.#scanner.end };
  }

  #commit(record: CommitRecord): void {
    const done = this.#open.end(record.xid, record.subtransactions);
    if (record.kind === 'abort' || !this.#isAsked(record.time)) return;
    const changes = judge(record, done, this.#options.minRows ?? DEFAULT_MIN_ROWS);
    if (changes.length === 0) return;
    const { xid, time, start, end } = record;
    const before = done?.databases.find(({ dropped }) => dropped)?.start ?? start;
    this.#keep({
      kind: 'commit',
      xid,
      time,
      start,
      end,
      before,
      name: undefined,
      changes,
      rewritten: [...(done?.rewritten ?? [])],
    });
  }

  #restorePoint({ name, time, start, end }: RestorePointRecord): void {
    if (!this.#isAsked(time)) return;
    this.#keep({ kind: 'restore point', xid: 0, time, start, end, before: start, name, changes: [], rewritten: [] });
  }

  #isAsked(time: bigint): boolean {
    const { since, until } = this.#options;
    return (since === undefined || time >= since) && (until === undefined || time <= until);
  }

  #keep(event: RawEvent): void {
    this.#events.push(event);
    if (this.#events.length < 2 * MAX_EVENTS) return;
    this.#events = this.#events.slice(-MAX_EVENTS);
    this.#truncated = true;
  }
}
