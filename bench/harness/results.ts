/** What a run of the benchmarks leaves behind: `results.json`, one entry a benchmark, each with the machine and the versions it was made with. */
import { readFile, writeFile } from 'node:fs/promises';
import { errno } from '../../src/base/errno.ts';
import { run } from '../../test/support/run.ts';
import type { Machine } from './machine.ts';

export interface Row {
  /** What was measured: "first backup". */
  readonly what: string;
  /** Program and version, with what is special about its use. */
  readonly program: string;
  /** Runs behind the medians. */
  readonly runs: number;
  /** Medians: seconds, seconds of processor time, bytes of peak memory. */
  readonly wall: number;
  readonly cpu: number;
  readonly rss: number;
  /** Wall time of each run in seconds, in the order made. */
  readonly walls: readonly number[];
  /** Bytes in the repository afterwards (for later backups: bytes it grew by). */
  readonly stored?: number;
  /** This row's median wall time divided by Holdfast's: above 1, Holdfast is faster. */
  readonly ratio?: number;
}

/** A figure that is not a race: "bytes of memory a blob". */
export interface Figure {
  readonly what: string;
  readonly value: string;
}

export interface BenchResult {
  readonly title: string;
  /** What was done with what, in a sentence or two for the reader. */
  readonly about: string;
  readonly rows: readonly Row[];
  readonly figures: readonly Figure[];
  /** Programs that could not take part, each with the reason. */
  readonly missing: readonly string[];
  /** RFC 3339. */
  readonly time: string;
  readonly duration: number;
  readonly machine: Machine;
}

export type Results = Readonly<Record<string, BenchResult>>;

export async function readResults(path: string): Promise<Results> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Results;
  } catch (error) {
    if (errno(error) === 'ENOENT') return {};
    throw error;
  }
}

/** Writes all results, in the form that the project's formatter likes. */
export async function writeResults(path: string, results: Results, root: string): Promise<void> {
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
  await run('node_modules/.bin/biome', ['format', '--write', path], { cwd: root });
}
