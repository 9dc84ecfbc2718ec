/** The listing of a cluster's WAL over all storages. A storage that cannot be listed is named, and hides nothing that another one has. */
import { asFailure, type Failure } from '../../base/failure.ts';
import type { Lsn } from '../../postgres/lsn.ts';
import type { Replica } from '../../repository/replicas.ts';
import { Repository } from '../../repository/repository.ts';
import type { StoredHistory } from '../archive.ts';
import { listFolds, type StoredFold } from '../fold-book.ts';
import { clusterPrefix, MAX_PIECE_BYTES, parseHistoryKey, parsePieceKey, timelinePrefix } from '../piece.ts';
import { MAX_SEALED_HISTORY, MAX_SEALED_PIECE } from '../sealed.ts';
import { PieceTable } from './piece-table.ts';

/** One stretch of one timeline, or the history files alone. */
export type ListScope = { readonly timeline: number; readonly from: Lsn; readonly to: Lsn } | 'histories';

/** The shortest sealed object there is: an envelope around nothing. */
const MIN_SEALED = 32;
/** A cluster has as many histories as timelines; more than this are not ours. */
const MAX_HISTORIES = 10_000;

/** What the keys of the scope begin with; the stretch's neighbours may begin so, too. */
function prefixOf(systemIdentifier: string, scope: ListScope | undefined): string {
  if (scope === undefined) return clusterPrefix(systemIdentifier);
  if (scope === 'histories') return `${clusterPrefix(systemIdentifier)}history/`;
  const from = scope.from.toString(16).padStart(16, '0');
  const last = (scope.to - 1n).toString(16).padStart(16, '0');
  let same = 0;
  while (same < 16 && from[same] === last[same]) same++;
  return timelinePrefix(systemIdentifier, scope.timeline) + from.slice(0, same);
}

export async function listCluster(repository: Repository, systemIdentifier: string, scope?: ListScope) {
  const table = new PieceTable(systemIdentifier);
  const histories = new Map<string, StoredHistory>();
  const silent = new Map<string, Failure>(repository.lost.map(({ name, failure }) => [name, failure]));
  const answered: Replica[] = [];
  const prefix = prefixOf(systemIdentifier, scope);
  await Promise.all(
    repository.replicas.map(async (replica) => {
      try {
        await listOne(repository, replica, prefix, table, histories);
        answered.push(replica);
      } catch (error) {
        repository.settings.signal?.throwIfAborted();
        silent.set(replica.name, asFailure(error, 'storage_unreachable'));
      }
    }),
  );
  const [first] = silent.values();
  if (answered.length === 0 && first !== undefined) throw first;
  const folds = scope === undefined ? await listFolds(restrictedTo(repository, answered), systemIdentifier) : [];
  for (const fold of folds) addFold(table, fold);
  const sorted = [...histories.values()].sort((a, b) => a.history.timeline - b.history.timeline || a.size - b.size);
  return { pieces: table.finish(), histories: sorted, silent, folds };
}

/** The repository as only these storages show it. */
function restrictedTo(
  { config, masterKey, keyId, lost, settings }: Repository,
  replicas: readonly Replica[],
): Repository {
  return new Repository({ config, masterKey, keyId, replicas, lost, settings });
}

/** A row for each segment, or for each stretch of one that is larger than a piece may be. */
function addFold(table: PieceTable, { systemIdentifier, runs, snapshot }: StoredFold): void {
  for (const { timeline, start, segmentSize, commits } of runs)
    for (const [i, range] of commits.entries())
      for (let offset = 0; offset < segmentSize; offset += MAX_PIECE_BYTES) {
        const from = start + BigInt(i) * BigInt(segmentSize) + BigInt(offset);
        const end = from + BigInt(Math.min(segmentSize, MAX_PIECE_BYTES));
        const place = { systemIdentifier, timeline, start: from, end, segmentSize };
        table.add({ ...place, ...range, hash: snapshot.id }, snapshot.mask, 0);
      }
}

async function listOne(
  { settings: { signal } }: Repository,
  replica: Replica,
  prefix: string,
  table: PieceTable,
  histories: Map<string, StoredHistory>,
): Promise<void> {
  for await (const page of replica.store.list(prefix, signal ? { signal } : {})) {
    for (const { key, size } of page) {
      const piece = size > MIN_SEALED && size <= MAX_SEALED_PIECE ? parsePieceKey(key) : undefined;
      if (piece !== undefined) table.add(piece, replica.bit, size);
      else if (size > MIN_SEALED && size <= MAX_SEALED_HISTORY) addHistory(histories, key, replica, size);
    }
  }
}

function addHistory(histories: Map<string, StoredHistory>, key: string, { bit }: Replica, size: number): void {
  const history = parseHistoryKey(key);
  const name = `${key} ${size}`;
  const known = histories.get(name);
  if (history === undefined || (known === undefined && histories.size >= MAX_HISTORIES)) return;
  histories.set(name, { history, size, mask: ((known?.mask ?? 0) | bit) >>> 0 });
}
