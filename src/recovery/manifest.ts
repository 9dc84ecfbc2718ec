/**
 * The manifest of a restore point: `/<app>/manifest.json` in its tree, written by the backup, read by everything that restores.
 * Readers accept unknown keys; `format` changes only when old readers would go wrong.
 */

import type { SourceNotice } from '../sources/entry.ts';
import type { MachineFacts } from '../sources/machine-facts.ts';
import type { PostgresFacts } from '../sources/postgres-source.ts';

export interface SourceTotals {
  readonly files: number;
  readonly directories: number;
  /** Bytes of all files. */
  readonly bytes: number;
  /** SHA-256 (hex) of the source's root tree object: equal trees, equal checksum. */
  readonly tree: string;
}

export interface FilesSourceRecord {
  readonly type: 'files' | 'config';
  /** Where it was, as configured. */
  readonly path?: string;
  readonly paths?: readonly string[];
  readonly totals: SourceTotals;
}

export interface PostgresSourceRecord {
  readonly type: 'postgres';
  readonly totals: SourceTotals;
  readonly facts: PostgresFacts;
}

export type SourceRecord = FilesSourceRecord | PostgresSourceRecord;

/** Rows that name files, checked against the files of the same point. */
export interface ReferenceCheck {
  readonly query: string;
  readonly source: string;
  readonly rows: number;
  readonly missing: number;
  /** The first hundred of the missing ones. */
  readonly missingExamples: readonly string[];
}

export interface Manifest {
  readonly format: 1;
  readonly app: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly label?: string;
  readonly reason?: string;
  readonly machine: MachineFacts;
  readonly sources: Readonly<Record<string, SourceRecord>>;
  /** What the app had besides: the point was made of some of its sources. Undefined in points of earlier versions, which do not say. */
  readonly otherSources?: readonly string[];
  readonly references: readonly ReferenceCheck[];
  readonly notices: readonly (SourceNotice & { readonly source: string })[];
}
