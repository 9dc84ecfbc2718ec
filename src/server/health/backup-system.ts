/** The parts that make backups: schedules, workers, the queue, how runs of the last day ended. */
import { formatDuration } from '../../base/durations.ts';
import { listRuns } from '../../catalog/runs.ts';
import { dueSchedules, listSchedules } from '../../catalog/schedules.ts';
import { listWorkers } from '../../catalog/workers.ts';
import { type DoctorFinding, good, problem, remark } from '../../operations/doctor-finding.ts';
import type { HealthInput } from '../health-checks.ts';

const ABOUT = 'backup system';
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** A schedule that is due for longer was not looked at; a run that waits for longer has nobody to take it. */
const LATE = 10 * MINUTE;
const WAITING = 60 * MINUTE;
const MANY = 200;

export async function backupSystemFindings(input: HealthInput): Promise<DoctorFinding[]> {
  return [await scheduling(input), await workers(input), await queue(input), await outcomes(input)];
}

async function scheduling({ catalog: { db }, clock }: HealthInput): Promise<DoctorFinding> {
  const late = await dueSchedules(db, clock.now() - LATE, MANY);
  if (late.length > 0)
    return problem(ABOUT, `${late.length} schedules are due and were not started.`, 'See the log of "holdfast serve".');
  const enabled = (await listSchedules(db, { enabled: true })).length;
  if (enabled === 0) return remark(ABOUT, 'Nothing is scheduled.', 'Write "schedules" into the configuration.');
  return good(ABOUT, `${enabled} schedules are on time.`);
}

async function workers({ catalog: { db } }: HealthInput): Promise<DoctorFinding> {
  const alive = await listWorkers(db);
  if (alive.length > 0) return good(ABOUT, `${alive.length} workers take runs.`);
  return problem(ABOUT, 'No worker takes runs.', 'Start "holdfast worker", or "holdfast serve" without --no-worker.');
}

async function queue({ catalog: { db }, clock }: HealthInput): Promise<DoctorFinding> {
  const { runs } = await listRuns(db, { state: 'queued', limit: MANY });
  const waiting = runs.map(({ notBefore }) => clock.now() - notBefore);
  const longest = Math.max(0, ...waiting);
  if (longest < WAITING) return good(ABOUT, 'No run waits for long.');
  const what = `A run has waited for ${formatDuration(longest)}.`;
  return problem(ABOUT, what, 'See whether a worker has the labels that it wants.');
}

async function outcomes({ catalog: { db }, clock }: HealthInput): Promise<DoctorFinding> {
  const { runs } = await listRuns(db, { state: 'failed', since: clock.now() - DAY, limit: MANY });
  if (runs.length === 0) return good(ABOUT, 'No run failed within a day.');
  const some = [...new Set(runs.map(({ kind, app }) => `${kind} of ${app}`))].slice(0, 3).join(', ');
  return problem(ABOUT, `${runs.length} runs failed within a day: ${some}.`, 'Look at the runs that failed.');
}
