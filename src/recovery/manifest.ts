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
  readonly references: readonly ReferenceCheck[];
  readonly notices: readonly (SourceNotice & { readonly source: string })[];
}

/**
 * Reads a manifest. Undefined when it is none, or of a format this program does not know: a point can be restored without it. Members
 * that this program does not know stay; of those it knows only the form that every reader relies on is checked.
 */
export function parseManifest(text: string): Manifest | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value['format'] !== 1 || typeof value['app'] !== 'string') return undefined;
  if (typeof value['time'] !== 'string' || !isRecord(value['sources'])) return undefined;
  const sources = Object.values(value['sources']);
  if (!sources.every((source) => isRecord(source) && typeof source['type'] === 'string')) return undefined;
  const list = (name: string): unknown[] => (Array.isArray(value[name]) ? value[name] : []);
  return { ...value, references: list('references'), notices: list('notices') } as unknown as Manifest;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
