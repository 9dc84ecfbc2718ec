/** What checks, proofs and restores showed. */
import { formatDuration } from '../../base/durations.ts';
import type { Run } from '../../catalog/runs.ts';
import { type AppFacts, type AppRule, aboutApp, listIn, textIn, today, type Verdict } from './rule.ts';

const DAMAGE: readonly string[] = ['repository_damaged', 'data_damaged', 'data_missing'];
const LOOKING = ['check', 'verify', 'sync'] as const;

/** A check without findings, or a sync that left nothing, says that it is over; a sample that is good says nothing about the rest. */
export const integrityFailure: AppRule = ({ app, ended }) => {
  const cause = `integrity_failure:${app}`;
  const looked = LOOKING.flatMap((kind) => ended[kind] ?? [])
    .filter((run) => damageIn(run) > 0 || (run.state === 'succeeded' && run.kind !== 'verify'))
    .sort(newestFirst);
  const [last] = looked;
  if (last === undefined) return [];
  const damage = damageIn(last);
  if (damage === 0)
    return [{ state: 'fine', cause, because: `The ${last.kind} of run ${last.id} found nothing wrong.` }];
  const objects = `${damage} ${damage === 1 ? 'object is' : 'objects are'}`;
  return [
    {
      ...{ state: 'firing', rule: 'integrity_failure', cause, severity: 'ERROR', ...aboutApp(app) },
      ...{ runId: last.id, evidence: last.id, title: 'What is stored is damaged' },
      message: `${last.error?.message ?? `${objects} damaged or missing.`}\n"holdfast sync" heals what another storage has whole.`,
      details: { damaged: damage, found_by: last.kind },
    },
  ];
};

function damageIn({ outcome, error }: Run): number {
  const found = listIn(outcome, 'findings').length + listIn(outcome, 'remaining').length;
  return found > 0 || error === undefined || !DAMAGE.includes(error.code) ? found : 1;
}

/** What was restored for real, and what was rehearsed, each by itself: a drill that goes well does not make up for a restore that failed. */
export const restoreFailure: AppRule = ({ app, ended }) => [
  ...ofRestores([...(ended.restore ?? []), ...(ended.rows ?? []), ...(ended.runbook ?? [])], {
    ...{ app, cause: `restore_failure:${app}`, title: 'A restore failed' },
  }),
  ...ofRestores(ended.drill ?? [], { app, cause: `restore_failure:${app}:drill`, title: 'A recovery drill failed' }),
];

function ofRestores(
  runs: readonly Run[],
  { app, cause, title }: { readonly app: string; readonly cause: string; readonly title: string },
): Verdict[] {
  const [last] = runs.toSorted(newestFirst);
  if (last === undefined) return [];
  if (last.state === 'succeeded') return [{ state: 'fine', cause, because: `Run ${last.id} succeeded.` }];
  return [
    {
      ...{ state: 'firing', rule: 'restore_failure', cause, severity: 'ERROR', ...aboutApp(app) },
      ...{ runId: last.id, evidence: last.id, title },
      message: [last.error?.message ?? 'It ended without saying why.', last.error?.hint ?? ''].join('\n').trim(),
      details: { code: last.error?.code ?? null, kind: last.kind },
    },
  ];
}

export const proofFailed: AppRule = ({ app, ended }) => {
  const cause = `proof_failed:${app}`;
  const last = ended.prove?.[0];
  if (last === undefined) return [];
  const outcome = textIn(last.outcome, 'outcome');
  if (outcome === 'passed' || (outcome === undefined && last.state === 'succeeded'))
    return [{ state: 'fine', cause, because: `The proof of run ${last.id} passed.` }];
  const failed = failedChecks(last);
  const incomplete = outcome === 'incomplete';
  return [
    {
      ...{ state: 'firing', rule: 'proof_failed', cause, severity: incomplete ? 'WARNING' : 'ERROR', ...aboutApp(app) },
      ...{ runId: last.id, evidence: last.id },
      title: incomplete ? 'A test restore was not finished' : 'A test restore failed',
      message:
        last.error?.message ??
        (failed === '' ? 'The report of the proof says what was not right.' : `Not right: ${failed}.`),
      details: { outcome: outcome ?? last.state, code: last.error?.code ?? null },
    },
  ];
};

function failedChecks({ outcome }: Run): string {
  return listIn(outcome, 'checks')
    .filter((check) => textIn(check, 'outcome') === 'failed')
    .map((check) => textIn(check, 'check') ?? textIn(check, 'name') ?? 'a check')
    .join(', ');
}

/** Counted from the last proof that passed; where none ever did, from the first point that is known. */
export const proofTooOld: AppRule = (facts, { proof_too_old: { after } }) => {
  const { app, now } = facts;
  const proven = lastProven(facts);
  const since = proven ?? facts.sizes.at(-1)?.time;
  if (since === undefined || app === '*') return [];
  const cause = `proof_too_old:${app}`;
  const age = now - since;
  if (age <= after) {
    const because = `The last proof that passed is ${formatDuration(age)} old.`;
    return proven === undefined ? [] : [{ state: 'fine', cause, because }];
  }
  const never = `No point was ever restored to see whether it works; the oldest is ${formatDuration(age)} old.`;
  const verdict: Verdict = {
    ...{ state: 'firing', rule: 'proof_too_old', cause, severity: 'WARNING', ...aboutApp(app) },
    evidence: today(now),
    title: 'No point was proven for long',
    message:
      proven === undefined
        ? never
        : `The last proof that passed is ${formatDuration(age)} old. "holdfast prove" makes one.`,
    details: { age_seconds: age / 1000, threshold_seconds: after / 1000 },
  };
  return [verdict];
};

function lastProven({ ended, status }: AppFacts): number | undefined {
  const run = ended.prove?.find(
    ({ state, outcome }) => state === 'succeeded' && textIn(outcome, 'outcome') !== 'failed',
  );
  const told = status?.report.last_proof;
  const at = textIn(told, 'outcome') === 'passed' ? Date.parse(textIn(told, 'time') ?? '') : Number.NaN;
  const times = [run?.finishedAt ?? Number.NaN, at].filter((time) => !Number.isNaN(time));
  return times.length === 0 ? undefined : Math.max(...times);
}

function newestFirst(a: Run, b: Run): number {
  return (b.finishedAt ?? 0) - (a.finishedAt ?? 0);
}
