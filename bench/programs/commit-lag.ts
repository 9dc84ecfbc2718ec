/** How long commits take until an archive holds them: a client that commits ten times a second, and a look at the archive twice as often. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { parsePieceKey, WAL_PREFIX } from '../../src/wal/piece.ts';

const COMMIT_MS = 100;
const LOOK_MS = 50;

/** Positions in the log, and the time when something was there: milliseconds since the epoch. */
interface Commit {
  readonly end: bigint;
  readonly at: number;
}

interface StoredPiece extends Commit {
  readonly start: bigint;
}

export interface CommitLag {
  /** No more commits. */
  stop(): Promise<void>;
  /** Once the archive holds them all: seconds from each commit until everything up to it was stored. */
  lags(): Promise<readonly number[]>;
}

/** `from`: what the archive holds already. */
export async function watchCommits(url: string, archive: string, from: bigint): Promise<CommitLag> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('create table if not exists commits (n int)');
  const ending = new AbortController();
  const watching = new AbortController();
  const commits: Commit[] = [];
  const pieces = new Map<string, StoredPiece>();
  const committing = every(COMMIT_MS, ending.signal, async () => {
    await client.query('insert into commits values (1)');
    const at = systemClock.now();
    const { rows } = await client.query('select pg_current_wal_insert_lsn()::text as lsn');
    commits.push({ end: parseLsn(String(rows[0]?.lsn)), at });
  });
  const looking = every(LOOK_MS, watching.signal, () => look(archive, pieces));
  return {
    stop: async () => {
      ending.abort();
      await committing;
      await client.end();
    },
    lags: async () => {
      watching.abort();
      await looking;
      await look(archive, pieces);
      return lagsOf(commits, [...pieces.values()], from);
    },
  };
}

async function every(ms: number, signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  for (; !signal.aborted; await sleep(ms)) await work();
}

/** Slices go when their segment is stored: what was seen once counts. */
async function look(archive: string, pieces: Map<string, StoredPiece>): Promise<void> {
  for (const name of await readdir(archive, { recursive: true }).catch(() => [])) {
    const piece = pieces.has(name) ? undefined : parsePieceKey(`${WAL_PREFIX}${name}`);
    const written = piece && (await stat(join(archive, name)).catch(() => undefined));
    if (written) pieces.set(name, { start: piece.start, end: piece.end, at: written.ctimeMs });
  }
}

/** A commit is stored when everything up to it is, without a hole. */
function lagsOf(commits: readonly Commit[], pieces: readonly StoredPiece[], from: bigint): number[] {
  const reached: Commit[] = [];
  const waiting: StoredPiece[] = [];
  let end = from;
  for (const piece of pieces.toSorted((a, b) => a.at - b.at)) {
    waiting.push(piece);
    waiting.sort((a, b) => (a.start < b.start ? -1 : 1));
    while (waiting[0] !== undefined && waiting[0].start <= end) {
      const next = waiting.shift()!;
      if (next.end > end) end = next.end;
    }
    reached.push({ end, at: piece.at });
  }
  return commits.flatMap((commit) => {
    const stored = reached.find((state) => state.end >= commit.end);
    return stored === undefined ? [] : [(stored.at - commit.at) / 1000];
  });
}
