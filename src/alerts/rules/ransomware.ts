/**
 * Signs that somebody encrypts or deletes the data that is backed up: what is new suddenly does not compress, or a large part of all files is
 * changed or gone at once. While that is not answered by a person, nothing older may be removed: it may be all that is left.
 */
import type { Run } from '../../catalog/runs.ts';
import { type AppFacts, type AppRule, aboutApp, median, member, numberIn } from './rule.ts';

const LEAST_KNOWN = 3;
const COMPARED = 10;
const MIB = 1024 ** 2;

/**
 * New data that does not compress, as a share of all new data, against what is usual for the app. Photographs never compress: there it is the
 * other sign that tells.
 */
export const entropyJump: AppRule = (facts, { entropy_jump: { points, least } }) => {
  const judged = made(facts).flatMap((run) => {
    const share = incompressible(run, least * MIB);
    return share === undefined ? [] : [{ run, share }];
  });
  const [last, ...before] = judged;
  const usual = median(before.slice(0, COMPARED).map(({ share }) => share));
  if (last === undefined || usual === undefined || before.length < LEAST_KNOWN) return [];
  if ((last.share - usual) * 100 < points) return [];
  const { app } = facts;
  const percent = (share: number) => `${Math.round(share * 100)} %`;
  return [
    {
      ...{
        state: 'firing',
        rule: 'entropy_jump',
        cause: `entropy_jump:${app}`,
        severity: 'CRITICAL',
        ...aboutApp(app),
      },
      ...{ runId: last.run.id, evidence: last.run.id, freezesRetention: true },
      title: 'New data looks encrypted',
      message:
        `What the last backup stored shrank to ${percent(last.share)} only; usual are ${percent(usual)}. ` +
        'Encrypted files look like that. Look at the files that changed before anything else.',
      details: { share: last.share, usual_share: usual, threshold_points: points },
    },
  ];
};

/** Stored over plain bytes of what is new; undefined for too little to tell. */
function incompressible({ outcome }: Run, least: number): number | undefined {
  const added = numberIn(outcome, 'bytes_added');
  const stored = numberIn(outcome, 'bytes_stored');
  if (added === undefined || stored === undefined || added < least) return undefined;
  return Math.min(1, stored / added);
}

interface Files {
  readonly total: number;
  readonly kept: number;
  readonly changed: number;
}

export const massChange: AppRule = (facts, { mass_change: { percent, least } }) => {
  const [last, previous] = made(facts).flatMap((run) => {
    const files = filesOf(run);
    return files === undefined ? [] : [{ run, files }];
  });
  if (last === undefined || previous === undefined) return [];
  const before = previous.files.total;
  if (before < least) return [];
  const gone = Math.max(0, before - last.files.kept) / before;
  const changed = Math.min(before, last.files.changed) / before;
  const usual = usualChange(facts);
  const part = Math.max(gone, changed);
  if (part * 100 < percent || (changed > gone && changed < usual * 2)) return [];
  const { app } = facts;
  const what = gone >= changed ? 'are gone' : 'have changed';
  return [
    {
      ...{ state: 'firing', rule: 'mass_change', cause: `mass_change:${app}`, severity: 'CRITICAL', ...aboutApp(app) },
      ...{ runId: last.run.id, evidence: last.run.id, freezesRetention: true },
      title: gone >= changed ? 'Many files are gone' : 'Many files changed at once',
      message: `Since the backup before, ${Math.round(part * 100)} % of ${before} files ${what}. Is that what you did?`,
      details: {
        files_before: before,
        gone_share: gone,
        changed_share: changed,
        usual_changed_share: usual,
        threshold_percent: percent,
      },
    },
  ];
};

/** Where most files change every day, that is no sign. */
function usualChange(facts: AppFacts): number {
  const shares = made(facts)
    .slice(1, 1 + COMPARED)
    .flatMap((run) => {
      const files = filesOf(run);
      return files === undefined || files.total === 0 ? [] : [files.changed / files.total];
    });
  return shares.length < LEAST_KNOWN ? 0 : (median(shares) ?? 0);
}

function filesOf({ outcome }: Run): Files | undefined {
  const sources = Object.values((member(outcome, 'sources') ?? {}) as object);
  const sum = (key: string) => sources.reduce<number>((all, source) => all + (numberIn(source, key) ?? 0), 0);
  if (sources.length === 0) return undefined;
  const [fresh, changed, unmodified] = [sum('files_new'), sum('files_changed'), sum('files_unmodified')];
  return { total: fresh + changed + unmodified, kept: changed + unmodified, changed };
}

/** Backups that made a point of the same sources as the newest, which comes first. */
function made({ ended }: AppFacts): readonly Run[] {
  const runs = (ended.backup ?? []).filter(({ state }) => state === 'succeeded' || state === 'partial');
  const names = (run: Run) =>
    Object.keys((member(run.outcome, 'sources') ?? {}) as object)
      .sort()
      .join(',');
  const newest = runs[0];
  return newest === undefined ? [] : runs.filter((run) => names(run) === names(newest));
}
