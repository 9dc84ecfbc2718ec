/** WAL streams for tests: local storages, a stream in this process, and what came of it compared with the server's own files. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import type { ProgressEvent } from '../../src/base/progress.ts';
import { parseConnectionUrl } from '../../src/postgres/connection-settings.ts';
import { formatLsn, type Lsn, parseLsn, parseSegmentName } from '../../src/postgres/lsn.ts';
import { WalScanner } from '../../src/postgres/wal-records.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { WalArchive, type WalInventory } from '../../src/wal/archive.ts';
import { type CoveredSpan, spans } from '../../src/wal/coverage.ts';
import { type StreamWalOptions, type StreamWalOutcome, streamWal } from '../../src/wal/stream.ts';
import { readStreamState, type StreamState } from '../../src/wal/stream-state.ts';
import { holder, init, localStores, PASSWORD } from './care.ts';
import type { TestServer } from './postgres/server.ts';
import { type TempDir, tempDir } from './temp.ts';

export const MIB = 1024 * 1024;

export interface WalPlace extends AsyncDisposable {
  readonly dir: TempDir;
  readonly stores: readonly ObjectStore[];
  readonly repository: Repository;
  readonly spool: string;
  /** Begins a stream of the server at `url`. */
  start(url: string, options?: Partial<StreamWalOptions>): TestStream;
}

export interface TestStream extends AsyncDisposable {
  /** Stops it cleanly. */
  stop(): Promise<StreamWalOutcome>;
  /** How it ended, or will. */
  readonly outcome: Promise<StreamWalOutcome>;
  readonly events: readonly ProgressEvent[];
  /** Messages of warnings and notes so far, one per line. */
  said(): string;
  state(): Promise<StreamState | undefined>;
  /** Waits until the state is as asked. */
  until(what: string, test: (state: StreamState) => boolean): Promise<StreamState>;
  /** Waits until all storages that take anything hold the log up to `position`. */
  stored(position: Lsn): Promise<StreamState>;
}

/** Storages `a`, `b` … with a repository; `wrap` stands between them and the stream. */
export async function walPlace(
  options: { readonly storages?: number; readonly wrap?: (store: ObjectStore) => ObjectStore } = {},
): Promise<WalPlace> {
  const { storages = 2, wrap = (store) => store } = options;
  const dir = await tempDir({ prefix: 'hf-ws' });
  const plain = localStores(dir, storages);
  await init(plain);
  const stores = plain.map(wrap);
  const repository = await openRepository(stores, PASSWORD, { clock: systemClock, holder });
  const spool = dir.join('spool');
  const start = (url: string, more: Partial<StreamWalOptions> = {}) => startStream(repository, spool, url, more);
  return { dir, stores, repository, spool, start, [Symbol.asyncDispose]: () => dir.remove() };
}

function startStream(repository: Repository, spool: string, url: string, more: Partial<StreamWalOptions>): TestStream {
  const stop = new AbortController();
  const events: ProgressEvent[] = [];
  const outcome = streamWal({
    ...{ repository, app: 'clinic', source: 'database', slot: 'holdfast_clinic_database', pid: process.pid },
    connection: parseConnectionUrl(url),
    spool: { directory: spool, limit: 1024 * MIB },
    ...{ flushEvery: 300, acknowledge: 'spool', slotLimit: 1024 * MIB, requiredCopies: 1 },
    progress: (event) => events.push(event),
    stop: stop.signal,
    ...more,
  });
  outcome.catch(() => {}); // whoever waits for it hears
  const directory = more.spool?.directory ?? spool;
  const state = () => readStreamState(directory);
  const said = () => events.flatMap((event) => ('message' in event ? [event.message] : [])).join('\n');
  const until: TestStream['until'] = async (what, test) => {
    const deadline = systemClock.monotonic() + 180_000;
    for (;;) {
      const now = await state();
      if (now !== undefined && test(now)) return now;
      if (systemClock.monotonic() > deadline)
        throw new Error(`waited in vain until ${what}\n${JSON.stringify(now)}\n${said()}`);
      await Promise.race([systemClock.sleep(50), outcome.then(() => {})]);
    }
  };
  const end = () => {
    stop.abort();
    return outcome;
  };
  return {
    ...{ outcome, events, said, state, until, stop: end },
    stored: (position) =>
      until(`the storages hold ${formatLsn(position)}`, ({ storages }) =>
        Object.values(storages).every(
          ({ stored, error }) => error !== null || (stored !== null && parseLsn(stored) >= position),
        ),
      ),
    [Symbol.asyncDispose]: async () => {
      await end().catch(() => {});
    },
  };
}

/** The end of the server's log. */
export async function serverEnd(server: TestServer): Promise<Lsn> {
  const [row] = await server.sql('SELECT pg_current_wal_flush_lsn()::text AS lsn');
  return parseLsn(String(row?.lsn));
}

export interface Archived {
  readonly archive: WalArchive;
  readonly inventory: WalInventory;
  readonly spans: readonly CoveredSpan[];
}

/** What the storages hold of the only cluster in them; `mask`: only these. */
export async function archived(repository: Repository, systemIdentifier: string, mask?: number): Promise<Archived> {
  const archive = new WalArchive(repository, systemIdentifier);
  const inventory = await archive.list();
  return { archive, inventory, spans: spans(inventory, mask) };
}

/** Every transaction whose commit is in the archive, as any of the storages of `mask` shows it. */
export async function archivedXids(
  repository: Repository,
  systemIdentifier: string,
  mask: number,
): Promise<Set<number>> {
  const xids = new Set<number>();
  const { archive, inventory, spans: all } = await archived(repository, systemIdentifier, mask);
  const held = { ...inventory, pieces: inventory.pieces.filter((stored) => (stored.mask & mask) !== 0) };
  assert.ok(all.length <= 1, 'the archive has a hole');
  for (const { timeline, start, end, segmentSize } of all) {
    const scanner = new WalScanner(
      start,
      { commit: ({ kind, xid }) => kind === 'commit' && xids.add(xid) },
      { segmentSize, verifyCrc: true },
    );
    for await (const { bytes } of archive.read(timeline, start, end, held)) scanner.push(bytes);
  }
  return xids;
}

/** Every archived byte equals the server's file, wherever the server still has it. Returns how many bytes were compared. */
export async function assertSameAsServer(
  { archive, inventory, spans: all }: Archived,
  dataDir: string,
): Promise<number> {
  let compared = 0;
  const directory = join(dataDir, 'pg_wal');
  const names = (await readdir(directory)).filter((name) => /^[0-9A-F]{24}$/.test(name));
  for (const span of all) {
    for (const name of names) {
      const file = parseSegmentName(name, span.segmentSize);
      if (file?.timeline !== span.timeline) continue;
      const fileEnd = file.start + BigInt(span.segmentSize);
      if (fileEnd <= span.start || file.start >= span.end) continue;
      let [from, to] = [file.start, fileEnd];
      if (span.start > from) from = span.start;
      if (span.end < to) to = span.end;
      const bytes = await readFile(join(directory, name));
      for await (const run of archive.read(span.timeline, from, to, inventory)) {
        const at = Number(run.start - file.start);
        assert.ok(run.bytes.equals(bytes.subarray(at, at + run.bytes.length)), `${name} at ${formatLsn(run.start)}`);
        compared += run.bytes.length;
      }
    }
  }
  return compared;
}
