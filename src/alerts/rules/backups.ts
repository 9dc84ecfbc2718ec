/** Backups that fail, take too long, or come out in an unusual size. */
import { formatDuration } from '../../base/durations.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { Run } from '../../catalog/runs.ts';
import { type AppRule, aboutApp, median, numberIn, type Verdict } from './rule.ts';

/** With fewer to compare with nothing is usual. */
const LEAST_KNOWN = 3;
const COMPARED = 10;

export const backupFailure: AppRule = ({ app, ended }) => {
  const runs = ended.backup ?? [];
  const last = runs[0];
  const cause = `backup_failure:${app}`;
  if (last === undefined) return [];
  if (last.state === 'succeeded') return [{ state: 'fine', cause, because: `Run ${last.id} succeeded.` }];
  const good = runs.findIndex(({ state }) => state === 'succeeded');
  const inARow = good < 0 ? runs.length : good;
  const partial = last.state === 'partial';
  return [
    {
      ...{ state: 'firing', rule: 'backup_failure', cause, severity: partial ? 'WARNING' : 'ERROR', ...aboutApp(app) },
      ...{ runId: last.id, evidence: last.id },
      title: partial ? 'The backup is not complete' : 'The backup failed',
      message: [complaint(last), inARow > 1 ? `By now ${inARow} in a row did.` : '', last.error?.hint ?? '']
        .filter((part) => part !== '')
        .join('\n'),
      details: { code: last.error?.code ?? null, in_a_row: inARow, attempts: last.attempt },
    },
  ];
};

function complaint({ error, outcome, state }: Run): string {
  if (error !== undefined) return error.message;
  if (state !== 'partial') return 'It ended without saying why.';
  const copies = numberIn(outcome, 'copies');
  const required = numberIn(outcome, 'copies_required');
  const fewer = copies !== undefined && required !== undefined && copies < required;
  return fewer
    ? `The point is whole on ${copies} of ${required} storages.`
    : 'Something could not be read; the run lists what.';
}

/** Compares with the runs before; one that still runs is judged as soon as it is too long. */
export const duration: AppRule = ({ app, ended, open, now }, { duration: { percent, least } }) => {
  const done = (ended.backup ?? []).filter(({ state }) => state === 'succeeded' || state === 'partial');
  const running = open.find(({ kind, state, startedAt }) => kind === 'backup' && state === 'running' && startedAt);
  const last = done[0];
  const cause = `duration:${app}`;
  const verdicts: Verdict[] = [];
  const judge = (run: Run, took: number, before: readonly Run[], isOver: boolean): boolean => {
    const usual = median(before.slice(0, COMPARED).map(tookOf));
    if (usual === undefined || before.length < LEAST_KNOWN || took < least || took <= (usual * percent) / 100)
      return false;
    verdicts.push({
      ...{ state: 'firing', rule: 'duration', cause, severity: 'WARNING', ...aboutApp(app) },
      ...{ runId: run.id, evidence: run.id, title: 'The backup takes much longer than usual' },
      message: `It ${isOver ? 'took' : 'has been running for'} ${formatDuration(took)}; usual are ${formatDuration(usual)}.`,
      details: { seconds: took / 1000, usual_seconds: usual / 1000, threshold_percent: percent },
    });
    return true;
  };
  if (running !== undefined && judge(running, now - running.startedAt!, done, false)) return verdicts;
  if (last === undefined || judge(last, tookOf(last), done.slice(1), true)) return verdicts;
  return [{ state: 'fine', cause, because: `Run ${last.id} took ${formatDuration(tookOf(last))}.` }];
};

function tookOf({ startedAt, finishedAt, outcome }: Run): number {
  const told = numberIn(outcome, 'duration_s');
  return told === undefined ? (finishedAt ?? 0) - (startedAt ?? finishedAt ?? 0) : told * 1000;
}

export const sizeDeviation: AppRule = ({ app, sizes }, { size_deviation: { percent, collapse, explosion } }) => {
  const last = sizes[0];
  if (last === undefined) return [];
  const before = sizes.slice(1).filter(({ sources }) => sources === last.sources);
  const usual = median(before.slice(0, COMPARED).map(({ bytes }) => bytes));
  if (usual === undefined || usual === 0 || before.length < LEAST_KNOWN) return [];
  const cause = `size_deviation:${app}`;
  const change = ((last.bytes - usual) / usual) * 100;
  const figures = `${formatBytes(last.bytes)}; usual are ${formatBytes(usual)}`;
  if (Math.abs(change) <= percent) return [{ state: 'fine', cause, because: `The newest point has ${figures}.` }];
  const extreme = change < -collapse || change > explosion;
  const shrank = change < 0;
  return [
    {
      ...{ state: 'firing', rule: 'size_deviation', cause, severity: extreme ? 'ERROR' : 'WARNING', ...aboutApp(app) },
      evidence: last.point,
      title: titleOf(shrank, extreme),
      message: `It holds ${figures}: ${Math.abs(Math.round(change))} % ${shrank ? 'less' : 'more'}.`,
      details: {
        point: last.point,
        bytes: last.bytes,
        usual_bytes: usual,
        change_percent: change,
        threshold_percent: percent,
      },
    },
  ];
};

function titleOf(shrank: boolean, extreme: boolean): string {
  if (extreme) return shrank ? 'The newest point has collapsed' : 'The newest point has exploded';
  return `The newest point is ${shrank ? 'smaller' : 'larger'} than usual`;
}
