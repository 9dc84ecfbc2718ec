/** The WAL archive: how far it is behind, and where it has holes. Judged by the last status of the app. */
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

const DEFAULT_AFTER = 300_000;
/** An older status tells nothing about now. */
const MAX_AGE = 6 * 3_600_000;
/** A point may follow a gap within seconds: people are told all the same, ms. */
const TOLD = 24 * 3_600_000;

export const walLag: AppRule = (facts, { wal_lag: { after: asked } }) => {
  const { app, now, objectives } = facts;
  const after = asked ?? objectives.rpo ?? DEFAULT_AFTER;
  return archives(facts).flatMap(({ source, wal, at }): Verdict[] => {
    const cause = `wal_lag:${app}:${source}`;
    const loss = member(wal, 'loss');
    const seconds = numberIn(loss, 'seconds');
    const because = textIn(loss, 'because') ?? '';
    const stopped = textIn(wal, 'mode') === 'stream' && member(member(wal, 'stream'), 'alive') === false;
    const behind = seconds === undefined || seconds * 1000 > after;
    if (!behind && !stopped) return [{ state: 'fine', cause, because: `${source}: ${because}.` }];
    const lost = seconds === undefined ? 'An unknown amount of' : `${formatDuration(seconds * 1000)} of`;
    return [
      {
        ...{ state: 'firing', rule: 'wal_lag', cause, severity: behind ? 'ERROR' : 'WARNING', ...aboutApp(app) },
        evidence: today(now),
        title: behind ? `The WAL archive of ${source} is behind` : `Nothing receives the WAL of ${source}`,
        message: `${lost} commits would be lost if the server died now: ${because}.`,
        details: {
          source,
          seconds: seconds ?? null,
          threshold_seconds: after / 1000,
          seen_at: new Date(at).toISOString(),
        },
      },
    ];
  });
};

/** Each new hole is seen by itself: what a person has answered does not come back. One that a point follows is told for a day: moments are lost. */
export const walGap: AppRule = (facts) => {
  const { app, now } = facts;
  return archives(facts).flatMap(({ source, wal }): Verdict[] => {
    const cause = `wal_gap:${app}:${source}`;
    const gaps = listIn(wal, 'gaps').filter((gap) => !isPast(gap) || now - Date.parse(textIn(gap, 'to') ?? '') < TOLD);
    const newest = gaps.findLast((gap) => !isPast(gap)) ?? gaps.at(-1);
    if (newest === undefined)
      return [{ state: 'fine', cause, because: 'A point follows: later moments can be restored.' }];
    const from = textIn(newest, 'from_lsn') ?? '?';
    return [
      {
        ...{ state: 'firing', rule: 'wal_gap', cause, ...aboutApp(app), evidence: from },
        severity: isPast(newest) ? 'WARNING' : 'ERROR',
        title: `The WAL archive of ${source} has ${gaps.length === 1 ? 'a gap' : `${gaps.length} gaps`}`,
        message: gapMessage(newest, from),
        details: { source, gaps: gaps.length, from_lsn: from, to_lsn: textIn(newest, 'to_lsn') ?? null },
      },
    ];
  });
};

function isPast(gap: unknown): boolean {
  return textIn(gap, 'next_point') !== undefined;
}

function gapMessage(gap: unknown, from: string): string {
  const why = textIn(gap, 'detail') ?? textIn(gap, 'reason') ?? 'why is not known';
  if (!isPast(gap))
    return `From ${from} on moments are lost: ${why}. A base backup opens a new window: "holdfast backup".`;
  const since = textIn(gap, 'from');
  const lost = since === undefined ? 'Moments before' : `Moments from ${since} to`;
  return `${lost} ${textIn(gap, 'to')} cannot be restored: ${why}. Later ones can: a point follows.`;
}

function archives({
  status,
  now,
}: AppFacts): { readonly source: string; readonly wal: unknown; readonly at: number }[] {
  if (status === undefined || now - status.at > MAX_AGE) return [];
  return listIn(status.report, 'wal').flatMap((wal) => {
    const source = textIn(wal, 'source');
    return source === undefined || textIn(wal, 'mode') === 'off' ? [] : [{ source, wal, at: status.at }];
  });
}
