/** What was promised: broken, or about to be. */
import { formatDuration } from '../../base/durations.ts';
import {
  type AppFacts,
  type AppRule,
  aboutApp,
  listIn,
  member,
  numberIn,
  textIn,
  today,
  type Verdict,
} from './rule.ts';

const MAX_AGE = 6 * 3_600_000;
const NAMES: Readonly<Record<string, string>> = {
  rpo: 'recovery point',
  rto: 'recovery time',
  copies: 'number of copies',
};
/** With fewer proofs there is no trend. */
const LEAST_PROOFS = 3;
const TREND_AHEAD = 30 * 86_400_000;

export const objectiveBroken: AppRule = (facts) =>
  judged(facts).map(({ name, state, because, promised, actual }): Verdict => {
    const cause = `objective_broken:${facts.app}:${name}`;
    if (state === 'kept') return { state: 'fine', cause, because: `It is kept: ${because}.` };
    return {
      ...{ state: 'firing', rule: 'objective_broken', cause, severity: 'ERROR', ...aboutApp(facts.app) },
      evidence: today(facts.now),
      title: `The objective for the ${NAMES[name] ?? name} is broken`,
      message: `${because}; promised are ${amount(name, promised)}.`,
      details: { objective: name, promised, actual: actual ?? null },
    };
  });

/** The recovery point: until the next backup is due. The recovery time: by the last proof, and by where the last ones lead. */
export const objectiveAtRisk: AppRule = (facts, { objective_at_risk: { percent } }) =>
  judged(facts).flatMap(({ name, state, promised, actual }): Verdict[] => {
    const cause = `objective_at_risk:${facts.app}:${name}`;
    if (name === 'copies') return [];
    if (state !== 'kept') return [{ state: 'fine', cause, because: 'It is broken by now, which is told by itself.' }];
    const risk =
      name === 'rpo' ? pointRisk(facts, promised, actual, percent) : timeRisk(facts, promised, actual, percent);
    if (risk === undefined) return [{ state: 'fine', cause }];
    return [
      {
        ...{ state: 'firing', rule: 'objective_at_risk', cause, severity: 'WARNING', ...aboutApp(facts.app) },
        evidence: today(facts.now),
        title: `The objective for the ${NAMES[name]} will be broken`,
        message: risk,
        details: { objective: name, promised, actual: actual ?? null, threshold_percent: percent },
      },
    ];
  });

function pointRisk(
  { now, status, schedules }: AppFacts,
  promised: number,
  actual: number | undefined,
  percent: number,
): string | undefined {
  if (actual === undefined || actual === 0 || status === undefined) return undefined;
  const exposed = actual + (now - status.at) / 1000;
  if (exposed < (promised * percent) / 100) return undefined;
  const breaks = now + Math.max(0, promised - exposed) * 1000;
  const due = schedules.flatMap(({ kind, enabled, nextAt }) =>
    kind === 'backup' && enabled && nextAt ? [nextAt] : [],
  );
  const next = due.length === 0 ? undefined : Math.min(...due);
  if (next !== undefined && next <= breaks) return undefined;
  const when = next === undefined ? 'no backup is planned' : `the next backup begins in ${formatDuration(next - now)}`;
  return `${formatDuration(exposed * 1000)} would be lost now, of ${formatDuration(promised * 1000)} that are allowed, and ${when}.`;
}

function timeRisk(
  { ended, now }: AppFacts,
  promised: number,
  actual: number | undefined,
  percent: number,
): string | undefined {
  if (actual !== undefined && actual >= (promised * percent) / 100)
    return `The last proof took ${formatDuration(actual * 1000)}, of ${formatDuration(promised * 1000)} that are allowed.`;
  const known = (ended.prove ?? []).flatMap(({ outcome, finishedAt }) => {
    const seconds = numberIn(outcome, 'rto_seconds');
    return seconds === undefined || finishedAt === undefined ? [] : [{ at: finishedAt, seconds }];
  });
  const later = known.length < LEAST_PROOFS ? undefined : trendAt(known, now + TREND_AHEAD);
  if (later === undefined || later < promised) return undefined;
  return `Proofs take longer and longer: in 30 days ${formatDuration(later * 1000)}, of ${formatDuration(promised * 1000)} that are allowed.`;
}

/** The least-squares line through the points, at a time. */
function trendAt(known: readonly { readonly at: number; readonly seconds: number }[], time: number): number {
  const count = known.length;
  const meanAt = known.reduce((sum, { at }) => sum + at, 0) / count;
  const mean = known.reduce((sum, { seconds }) => sum + seconds, 0) / count;
  const spread = known.reduce((sum, { at }) => sum + (at - meanAt) ** 2, 0);
  const slope =
    spread === 0 ? 0 : known.reduce((sum, { at, seconds }) => sum + (at - meanAt) * (seconds - mean), 0) / spread;
  return mean + slope * (time - meanAt);
}

interface Judged {
  readonly name: string;
  readonly state: string;
  readonly because: string;
  /** Seconds; storages for `copies`. */
  readonly promised: number;
  readonly actual: number | undefined;
}

/** Nothing is said about what is not known. */
function judged({ status, now }: AppFacts): Judged[] {
  if (status === undefined || now - status.at > MAX_AGE) return [];
  return listIn(status.report, 'objectives').flatMap((objective) => {
    const name = textIn(objective, 'objective');
    const state = textIn(objective, 'state');
    const promised = numberIn(objective, 'promised');
    if (name === undefined || promised === undefined || (state !== 'kept' && state !== 'broken')) return [];
    const actual = member(objective, 'actual');
    return [
      {
        ...{ name, state, promised, because: textIn(objective, 'because') ?? '' },
        actual: typeof actual === 'number' ? actual : undefined,
      },
    ];
  });
}

function amount(name: string, value: number): string {
  return name === 'copies' ? `${value} copies` : formatDuration(value * 1000);
}
