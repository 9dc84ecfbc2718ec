/**
 * The report of a proof: what was done, how long it took, what was looked at, what came of it, and what was not shown. Its members are those
 * of `prove --json` and of what the repository keeps; they only ever grow.
 */
import type { Finding } from '../../recovery/prove.ts';

export interface ProofReport {
  readonly format: 1;
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly app: string;
  /** The point that was restored; the base of the recovery where a moment was proven. Null where it came to none. */
  readonly point: string | null;
  readonly short_id: string | null;
  /** RFC 3339, as all times here: what the point holds. */
  readonly point_time: string | null;
  readonly label: string | null;
  /** When the proof began, and when it ended. */
  readonly time: string;
  readonly finished: string;
  readonly by: string;
  /** The storage that everything was read from. Null when none could be chosen. */
  readonly storage: string | null;
  /** Every storage and what it was: `proven`, `not read`, `lacks the point`, or its failure. */
  readonly storages: Readonly<Record<string, string>>;
  /** Where a moment was proven rather than a point. */
  readonly moment: ProvenMoment | null;
  /** Files drawn of all there are; null when all were restored. */
  readonly sample: { readonly files: number; readonly out_of: number } | null;
  readonly steps: readonly ProofStep[];
  /** From the beginning until the database answered and the files were there. Null when it did not come to that. */
  readonly rto_seconds: number | null;
  /** What was promised; null for nothing. */
  readonly rto_objective_seconds: number | null;
  readonly total_seconds: number;
  readonly checks: readonly Finding[];
  readonly counts: ProofCounts;
  readonly versions: ProofVersions;
  readonly machine: ProofMachine;
  /** `incomplete`: nothing wrong, but not all that should be looked at was. `error`: it did not come to the checks. */
  readonly outcome: 'passed' | 'failed' | 'incomplete' | 'error';
  /** What the point has by this proof; null for nothing new. */
  readonly level: 'restored' | 'accepted' | null;
  readonly failure: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
  /** What this proof does not show: sentences. */
  readonly not_shown: readonly string[];
}

export interface ProvenMoment {
  /** As it was asked for. */
  readonly asked: string;
  readonly reached_lsn: string;
  /** Time of the last transaction in it; null where the copy does not tell. */
  readonly reached_time: string | null;
  /** The point that the files come from; it is never newer than the moment. */
  readonly files_point: string | null;
}

export interface ProofStep {
  readonly step: string;
  readonly seconds: number;
}

export interface ProofCounts {
  readonly databases: number;
  readonly tables: number;
  readonly rows: number;
  readonly pages: number;
  readonly database_bytes: number;
  readonly files: number;
  readonly file_bytes: number;
}

export interface ProofVersions {
  readonly holdfast: string;
  readonly node: string;
  /** Per database source: the server that was backed up and the one that was started. */
  readonly postgres: Readonly<Record<string, { readonly original: string; readonly started: string }>>;
}

export interface ProofMachine {
  readonly hostname: string;
  readonly system: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly cpu: string;
  readonly memory_bytes: number;
}

/** A report read back from the repository; undefined for what is none that this version understands. */
export function parseProofReport(value: Readonly<Record<string, unknown>>): ProofReport | undefined {
  const { format, id, app, time, steps, checks, counts, versions, machine, storages, not_shown: notShown } = value;
  const texts = [id, app, time, value.finished, value.by, value.outcome];
  const lists = [steps, checks, notShown];
  const records = [counts, versions, machine, storages];
  const fits =
    format === 1 &&
    texts.every((each) => typeof each === 'string') &&
    lists.every(Array.isArray) &&
    records.every((each) => typeof each === 'object' && each !== null);
  return fits ? (value as unknown as ProofReport) : undefined;
}
