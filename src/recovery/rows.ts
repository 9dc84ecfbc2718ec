/** Rows as they were: out of a copy of an earlier moment into a file, or back into the running database; and what differs between two moments. */
export { readCatalog } from './rows/catalog.ts';
export { type DiffCounts, diffTable, type RowDifference } from './rows/diff.ts';
export { findPgDump } from './rows/dump-program.ts';
export { type ExportFormat, exportRows } from './rows/export.ts';
export { type MergeOutcome, type MergePlan, mergeRows } from './rows/merge.ts';
export { refuseExisting, writeNewFile } from './rows/new-file.ts';
export { displayName } from './rows/quoting.ts';
export { selectTables } from './rows/selection.ts';
export { RowsSession } from './rows/session.ts';
