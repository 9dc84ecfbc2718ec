/** What a transaction that has committed did to relations, as far as it is worth knowing. */
import type { CommitRecord, RelationLocator } from '../../postgres/wal-records.ts';
import { FIRST_USER_OBJECT } from './catalog.ts';
import { fileKey, type OpenTransaction } from './transactions.ts';

export type ChangeKind = 'delete' | 'update' | 'insert' | 'truncate' | 'drop' | 'rewrite' | 'drop database';

/** A change as the log tells it, without names. */
export interface RawChange {
  readonly kind: ChangeKind;
  readonly database: number;
  /** Undefined for a database. */
  readonly locator: RelationLocator | undefined;
  /** Of rows: how many. */
  readonly rows: number | undefined;
}

/** Files of one commit that are told one by one. */
const MAX_FILES = 1000;

/** Nothing when no relation lost or changed at least `minRows` rows and none was dropped, truncated or rewritten. */
export function judge(commit: CommitRecord, done: OpenTransaction | undefined, minRows: number): RawChange[] {
  const changes = [...databasesDropped(done), ...filesGone(commit, done), ...manyRows(done, 'deleted', minRows)];
  changes.push(...manyRows(done, 'updated', minRows));
  return changes.length === 0 ? changes : [...changes, ...manyRows(done, 'inserted', minRows)];
}

function databasesDropped(done: OpenTransaction | undefined): RawChange[] {
  const databases = done?.databases ?? [];
  const moved = new Set(databases.filter(({ dropped }) => !dropped).map(({ oid }) => oid));
  return databases
    .filter(({ oid, dropped }) => dropped && !moved.has(oid))
    .map(({ oid }) => ({ kind: 'drop database', database: oid, locator: undefined, rows: undefined }));
}

function filesGone({ dropped }: CommitRecord, done: OpenTransaction | undefined): RawChange[] {
  const gone = dropped.filter((locator) => !done?.created.has(fileKey(locator)));
  const kind = whyGone(done);
  return gone.slice(0, MAX_FILES).map((locator) => ({ kind, database: locator.database, locator, rows: undefined }));
}

/**
 * Files go when relations are dropped, and when a relation gets a new file: an empty one (TRUNCATE), or one with its rows copied (VACUUM FULL,
 * CLUSTER, ALTER TABLE with a rewrite; they use a stand-in) or built anew (REINDEX).
 */
function whyGone(done: OpenTransaction | undefined): 'drop' | 'truncate' | 'rewrite' {
  if (done?.truncates) return 'truncate';
  if (done === undefined || done.created.size === 0) return 'drop';
  if (done.rewritten.size > 0) return 'rewrite';
  if (done.catalogDeletes > 0) return 'drop';
  return [...done.created.values()].every((pages) => pages > 0) ? 'rewrite' : 'truncate';
}

const KINDS = { deleted: 'delete', updated: 'update', inserted: 'insert' } as const;

function manyRows(done: OpenTransaction | undefined, what: keyof typeof KINDS, minRows: number): RawChange[] {
  return [...(done?.rows.values() ?? [])]
    .filter((counts) => counts[what] >= minRows && counts.locator.relation >= FIRST_USER_OBJECT)
    .sort((a, b) => b[what] - a[what])
    .slice(0, MAX_FILES)
    .map(({ locator, ...counts }) => ({
      kind: KINDS[what],
      database: locator.database,
      locator,
      rows: counts[what],
    }));
}
