/** Puts a report together from what a proof knows, however far it came. */
import { randomBytes } from 'node:crypto';
import { asFailure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { collectMachineFacts } from '../../sources/machine-facts.ts';
import { tagsOf } from '../points.ts';
import type { ProofReport } from './report.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What is known before anything is restored. */
export interface Beginning {
  readonly app: string;
  /** Milliseconds since the epoch. */
  readonly begun: number;
  readonly by: string;
  readonly storage: string;
  readonly storages: Readonly<Record<string, string>>;
  readonly rtoObjectiveMs: number | undefined;
  readonly watch: Stopwatch;
}

export type Ending = Pick<
  ProofReport,
  'moment' | 'sample' | 'rto_seconds' | 'checks' | 'counts' | 'outcome' | 'level' | 'not_shown'
> & { readonly postgres: ProofReport['versions']['postgres'] };

const NO_COUNTS = { databases: 0, tables: 0, rows: 0, pages: 0, database_bytes: 0, files: 0, file_bytes: 0 };

/** `finished`: milliseconds since the epoch. */
export async function composeReport(
  beginning: Beginning,
  point: StoredSnapshot | undefined,
  { postgres, ...ending }: Ending,
  finished: number,
  failure: ProofReport['failure'] = null,
): Promise<ProofReport> {
  const { cpu, memoryBytes, node, holdfast, ...facts } = await collectMachineFacts();
  const { hostname, system, kernel, architecture } = facts;
  const storages = Object.entries(beginning.storages).map(([name, what]) => [name, what === 'read' ? 'proven' : what]);
  return {
    format: 1,
    id: randomBytes(8).toString('hex'),
    app: beginning.app,
    point: point?.id ?? null,
    short_id: point === undefined ? null : shortId(point.id),
    point_time: point?.snapshot.time ?? null,
    label: point === undefined ? null : (tagsOf(point)?.label ?? null),
    time: new Date(beginning.begun).toISOString(),
    finished: new Date(finished).toISOString(),
    by: beginning.by,
    storage: beginning.storage,
    storages: ending.outcome === 'passed' ? Object.fromEntries(storages) : beginning.storages,
    rto_objective_seconds: beginning.rtoObjectiveMs === undefined ? null : beginning.rtoObjectiveMs / 1000,
    total_seconds: beginning.watch.elapsed,
    steps: beginning.watch.steps,
    versions: { holdfast, node, postgres },
    machine: {
      ...{ hostname, system, kernel, architecture },
      cpu: `${cpu.count} × ${cpu.model}`,
      memory_bytes: memoryBytes,
    },
    failure,
    ...ending,
  };
}

/** The report of a proof that did not come to its checks. */
export function composeFailure(
  beginning: Beginning,
  point: StoredSnapshot | undefined,
  moment: ProofReport['moment'],
  error: unknown,
  finished: number,
): Promise<ProofReport> {
  const { code, message, hint } = asFailure(error);
  const ending: Ending = {
    ...{ moment, sample: null, rto_seconds: null, checks: [], counts: NO_COUNTS, postgres: {} },
    ...{ outcome: 'error', level: null, not_shown: ['It did not come to the checks: nothing is shown.'] },
  };
  return composeReport(beginning, point, ending, finished, { code, message, hint: hint ?? null });
}
