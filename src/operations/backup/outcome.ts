/** What a backup tells in the end. */
import { Failure } from '../../base/failure.ts';
import { type Id, shortId } from '../../base/ids.ts';
import type { ReferenceCheck } from '../../recovery/manifest.ts';
import type { CommittedPoint } from '../../repository/point-writer.ts';
import type { LostReplica } from '../../repository/replicas.ts';
import type { SourceNotice } from '../../sources/entry.ts';
import type { ReadSource } from './sources.ts';

export interface SourceReport {
  /** Bytes read from the source. */
  readonly bytes_read: number;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly duration_s: number;
}

export interface BackUpOutcome {
  readonly point: Id;
  readonly short_id: string;
  readonly app: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly label?: string;
  readonly sources: Readonly<Record<string, SourceReport>>;
  /** Of all files in the point. */
  readonly bytes: number;
  /** New plain bytes. */
  readonly bytes_added: number;
  /** What they take in each storage, compressed and encrypted. */
  readonly bytes_stored: number;
  /** By storage: `complete`, `behind`, or why it has no copy. */
  readonly storages: Readonly<Record<string, string>>;
  readonly copies: number;
  readonly copies_required: number;
  readonly notices: readonly (SourceNotice & { readonly source: string })[];
  /** Rows that name files, counted; the manifest lists missing ones. */
  readonly references: readonly Omit<ReferenceCheck, 'missingExamples'>[];
  /** Something could not be read, pages are damaged, or there are too few copies. */
  readonly partial: boolean;
  readonly duration_s: number;
}

export function reportSource({ counts, milliseconds }: ReadSource): SourceReport {
  return {
    bytes_read: counts.bytesRead,
    files_new: counts.filesNew,
    files_changed: counts.filesChanged,
    files_unmodified: counts.filesUnmodified,
    duration_s: milliseconds / 1000,
  };
}

export interface Copies {
  readonly copies: number;
  readonly storages: Readonly<Record<string, string>>;
}

export function copiesOf({ copies: outcomes }: CommittedPoint, lost: readonly LostReplica[]): Copies {
  const storages: Record<string, string> = {};
  let copies = 0;
  for (const [name, copy] of outcomes) {
    storages[name] = copy.state === 'failed' ? copy.failure.message : copy.state;
    if (copy.state === 'complete') copies++;
  }
  for (const { name, failure } of lost) storages[name] = failure.message;
  return { copies, storages };
}

/** The end of a run that was interrupted, `committed` when a storage has the point already. */
export function interruptedBackup(cause: unknown, committed?: CommittedPoint): Failure {
  if (committed === undefined) {
    return new Failure('interrupted', 'Stopped as asked. No restore point was made, and nothing is half visible.', {
      hint: 'Run the backup again: it uses what is stored already. "holdfast prune" removes what no point needs.',
      cause,
    });
  }
  const names = [...committed.copies].flatMap(([name, { state }]) => (state === 'complete' ? [name] : [])).join(', ');
  return new Failure(
    'interrupted',
    `Stopped as asked. The restore point ${shortId(committed.id)} was made and is whole on ${names}, but not on the other storages.`,
    { hint: 'Bring the others level with "holdfast sync".', cause },
  );
}
