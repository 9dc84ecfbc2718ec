/** What changed in a cluster since an earlier copy, as the server tells it; the changes themselves are passed over. */
import {
  changedPathOf,
  type IncrementalFile,
  PAGE,
  readIncrementalFile,
  SEGMENT_PAGES,
} from '../../postgres/incremental-file.ts';
import type { RelationLimits } from '../../postgres/incremental-limits.ts';
import { mainForkOf } from '../../postgres/relation-path.ts';
import type { ReplicationConnection } from '../../postgres/replication-connection.ts';
import type { BaseCopy } from './base-copy.ts';
import { type StartInput, startIncremental } from './start-backup.ts';

export interface ChangedFile {
  readonly path: string;
  /** Numbers of the changed pages, ascending. */
  readonly blocks: Uint32Array;
  /** Earlier content counts up to this many bytes. */
  readonly kept: number;
  /** Bytes of a page. */
  readonly pageSize: number;
}

/** Files that the server would send as changes to `base`. Files that it would send whole are not among them. */
export async function* changedFiles(
  connect: () => Promise<ReplicationConnection>,
  input: Pick<StartInput, 'label' | 'setup' | 'openSql'>,
  base: BaseCopy,
): AsyncGenerator<ChangedFile, void, undefined> {
  await using connection = await connect();
  const { backup, changes } = await startIncremental(input, connection, base);
  for await (const member of backup.members()) {
    const path = changedPathOf(member.path);
    if (path === undefined || changes === undefined) continue;
    const file = await readIncrementalFile(member.content(), member.header.size);
    yield { path, blocks: file.blocks, kept: keptBytes(path, file, changes.limits), pageSize: PAGE };
  }
}

/** Up to where the earlier content of a file counts: its length, or less where the relation was cut short in between. */
export function keptBytes(
  path: string,
  { truncation }: Pick<IncrementalFile, 'truncation'>,
  limits: RelationLimits,
): number {
  const file = mainForkOf(path);
  const limit = (file && limits.get(file.relation)) ?? Number.POSITIVE_INFINITY;
  return Math.min(truncation, Math.max(limit - (file?.segment ?? 0) * SEGMENT_PAGES, 0)) * PAGE;
}
