/** What is wrong besides broken objectives, and what mends it. The most urgent first. */
import type { Damage } from '../../repository/meta-damage.ts';
import type { SourceWalStatus } from '../wal-status.ts';
import type { ObjectiveState } from './objectives.ts';
import type { StorageStatus } from './storages.ts';

export interface StatusProblem {
  readonly about: string;
  readonly what: string;
  /** A command or action; empty where there is nothing to do. */
  readonly mend: string;
}

export interface ProblemFacts {
  readonly points: number;
  /** Point objects that no storage can give whole. */
  readonly damagedPoints: number;
  readonly storages: readonly StorageStatus[];
  readonly damage: readonly Damage[];
  readonly wal: readonly SourceWalStatus[];
  readonly objectives: readonly ObjectiveState[];
  readonly lastProof: { readonly id: string; readonly outcome: string } | undefined;
}

export function statusProblems(facts: ProblemFacts): StatusProblem[] {
  return [
    ...aboutPoints(facts),
    ...facts.wal.flatMap((wal) => [...aboutWal(wal)]),
    ...facts.storages.flatMap((storage) => [...aboutStorage(facts, storage)]),
    ...aboutProofs(facts),
  ];
}

function* aboutPoints({ points, damagedPoints }: ProblemFacts): Generator<StatusProblem> {
  if (points === 0) yield { about: 'points', what: 'there is none: nothing can be restored', mend: 'holdfast backup' };
  if (damagedPoints > 0)
    yield { about: 'points', what: `${damagedPoints} cannot be read from any storage`, mend: 'holdfast check' };
}

function* aboutWal(wal: SourceWalStatus): Generator<StatusProblem> {
  const about = `WAL archive of ${wal.source}`;
  const { stream, slot } = wal;
  if (wal.mode === 'stream' && stream?.alive !== true)
    yield { about, what: 'nothing receives the WAL', mend: `holdfast wal stream --source ${wal.source}` };
  else if (stream?.alive && stream.last_error !== null && stream.status !== 'streaming')
    yield { about, what: `the stream is ${stream.status}: ${stream.last_error}`, mend: '' };
  if (wal.server_error !== null)
    yield { about, what: `the server does not answer: ${wal.server_error}`, mend: 'holdfast doctor' };
  if (wal.windows.length === 0)
    yield {
      about,
      what: 'no moment can be restored: no base backup has the log that goes on from it',
      mend: 'holdfast backup',
    };
  const open = wal.gaps.filter(({ next_point }) => next_point === null).length;
  if (open > 0) {
    const mend = 'Moments in a gap are lost. A base backup made after it opens a new window: holdfast backup';
    yield {
      about,
      what: `${open === 1 ? 'there is a gap' : `there are ${open} gaps`}; "holdfast wal status" shows where and why`,
      mend,
    };
  }
  if (wal.missing_histories.length > 0)
    yield { about, what: `the history of timeline ${wal.missing_histories.join(', ')} is missing`, mend: '' };
  const failed = wal.mode === 'push' ? failingFile(wal) : undefined;
  if (failed !== undefined)
    yield { about, what: `archive_command fails at ${failed}`, mend: "Look into the server's log." };
  if (slot !== null && slot.wal_status === 'lost')
    yield { about, what: 'the server has taken the slot away', mend: 'holdfast backup' };
}

/** The file that archive_command could not archive and has not archived since. */
function failingFile({ server }: SourceWalStatus): string | undefined {
  const { last_archived: archived = null, last_failed: failed = null } = server?.archive_command ?? {};
  return failed !== null && (archived === null || failed > archived) ? failed : undefined;
}

function* aboutStorage(
  { damage }: ProblemFacts,
  { storage, state, missing, message }: StorageStatus,
): Generator<StatusProblem> {
  const about = `storage ${storage}`;
  const mend = `holdfast sync --storage ${storage}`;
  if (state === 'lost') yield { about, what: message ?? 'cannot be used', mend: 'holdfast doctor' };
  if (state === 'behind') yield { about, what: `lacks ${missing} ${missing === 1 ? 'point' : 'points'}`, mend };
  if (state !== 'damaged') return;
  const count = damage.filter((each) => each.storage === storage).length;
  yield { about, what: `${count} ${count === 1 ? 'object is' : 'objects are'} known to be damaged or missing`, mend };
}

function* aboutProofs({ points, lastProof, objectives }: ProblemFacts): Generator<StatusProblem> {
  if (lastProof?.outcome === 'failed' || lastProof?.outcome === 'error')
    yield {
      about: 'proof',
      what: `the last proof ${lastProof.outcome === 'failed' ? 'found something wrong' : 'could not be made'}`,
      mend: `holdfast proofs ${lastProof.id}`,
    };
  const promised = objectives.some(({ objective, state }) => objective === 'rto' && state === 'unknown');
  if (points > 0 && (lastProof === undefined || promised) && lastProof?.outcome !== 'failed')
    yield { about: 'proof', what: 'no point was ever restored to see whether it works', mend: 'holdfast prove' };
}
