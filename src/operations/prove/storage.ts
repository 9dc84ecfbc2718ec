/** Which storage a proof reads from: each gets its turn, the one whose last proof for this app lies furthest back first. */
import { Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import type { StoredReport } from '../../repository/meta-reports.ts';
import { inMask } from '../../repository/replicas.ts';
import { Repository } from '../../repository/repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';

export interface StorageChoice {
  readonly name: string;
  /** Every storage and what it is to this proof. */
  readonly storages: Readonly<Record<string, string>>;
}

/**
 * `point` undefined: any storage will do, as for a moment, whose base is not known yet. Throws `storage_unknown`, a lost storage's own
 * failure when that one was asked for, `data_missing` when no storage in use holds the point.
 */
export function chooseStorage(
  repository: Repository,
  point: StoredSnapshot | undefined,
  reports: readonly StoredReport[],
  asked: string | undefined,
): StorageChoice {
  const holding = inMask(repository.replicas, point?.mask ?? repository.all).map(({ name }) => name);
  const name = asked === undefined ? nextInTurn(holding, reports) : named(repository, holding, asked, point);
  if (name === undefined) throw new Failure('data_missing', 'No storage that can be used holds this point.');
  const storages: Record<string, string> = {};
  for (const replica of repository.replicas)
    storages[replica.name] = holding.includes(replica.name) ? 'not read' : 'lacks the point';
  for (const { name: lost, failure } of repository.lost) storages[lost] = failure.message;
  return { name, storages: { ...storages, [name]: 'read' } };
}

/** Never proven first; of equals the nearest. A proof that failed was a turn too: else one failing check would keep the others from theirs. */
function nextInTurn(names: readonly string[], reports: readonly StoredReport[]): string | undefined {
  const last = (name: string) => reports.findLast(({ storage }) => storage === name)?.time ?? 0;
  return names.toSorted((a, b) => last(a) - last(b))[0];
}

function named(
  { replicas, lost }: Repository,
  holding: readonly string[],
  asked: string,
  point: StoredSnapshot | undefined,
): string {
  if (holding.includes(asked)) return asked;
  const failed = lost.find(({ name }) => name === asked);
  if (failed !== undefined) throw failed.failure;
  if (point !== undefined && replicas.some(({ name }) => name === asked)) {
    throw new Failure('data_missing', `The storage "${asked}" does not hold point ${shortId(point.id)}.`, {
      hint: `These do: ${holding.join(', ') || 'none'}. "holdfast sync" brings the others level.`,
    });
  }
  throw new Failure('storage_unknown', `There is no storage "${asked}".`, {
    hint: `There is: ${replicas.map(({ name }) => name).join(', ')}.`,
  });
}

/** The same repository as if it had this storage only: nothing that is missing here can come from elsewhere. */
export function onlyStorage(repository: Repository, name: string): Repository {
  const { config, masterKey, keyId, settings } = repository;
  const replicas = repository.replicas.filter((replica) => replica.name === name);
  return new Repository({ config, masterKey, keyId, settings, replicas, lost: [] });
}
