/** From verdicts to alerts: what is wrong is raised, what is right again is resolved, what is neither stays. */
import { type Alert, clear, raiseAll, SEVERITIES } from '../catalog/alerts.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { AlertRules } from '../config/alert-settings.ts';
import type { AppFacts, Judgement } from './judge.ts';

const PER_TRANSACTION = 100;

/** `open`: what was not resolved when the facts were read. Only what changes something is written. How many changes there were. */
export async function applyJudgement(
  catalog: Catalog,
  { findings, fine }: Judgement,
  open: ReadonlyMap<string, Alert>,
  now: number,
): Promise<number> {
  const byCause = (a: { readonly cause: string }, b: { readonly cause: string }) => (a.cause < b.cause ? -1 : 1);
  const news = findings.filter((finding) => isNews(finding, open.get(finding.cause))).sort(byCause); // no deadlocks
  for (let done = 0; done < news.length; done += PER_TRANSACTION)
    await raiseAll(catalog.db, news.slice(done, done + PER_TRANSACTION), now);
  const over = fine.filter(({ cause }) => open.has(cause)).sort(byCause);
  for (const { cause, because } of over) await clear(catalog.db, cause, now, because);
  return news.length + over.length;
}

function isNews(finding: Judgement['findings'][number], known: Alert | undefined): boolean {
  if (known === undefined || finding.evidence === undefined || known.evidence !== finding.evidence) return true;
  if (finding.freezesRetention === true && !known.freezesRetention) return true;
  return SEVERITIES.indexOf(finding.severity) > SEVERITIES.indexOf(known.severity);
}

/** What the configuration does not name any more, or does not look for, is not wrong any more. */
export function orphans(
  open: ReadonlyMap<string, Alert>,
  named: { readonly apps: ReadonlySet<string>; readonly storages: ReadonlySet<string>; readonly rules: AlertRules },
): Judgement['fine'] {
  return [...open.values()].flatMap(({ cause, rule, app, storage }) => {
    const known = (named.rules as Readonly<Record<string, { readonly enabled: boolean }>>)[rule];
    const because =
      known?.enabled === false
        ? 'The rule was switched off.'
        : app !== undefined && !named.apps.has(app)
          ? 'The app is not in the configuration any more.'
          : storage !== undefined && !named.storages.has(storage)
            ? 'The storage is not in the configuration any more.'
            : undefined;
    return because === undefined ? [] : [{ state: 'fine' as const, cause, because }];
  });
}

/** Schedules that are gone or switched off miss nothing. */
export function goneSchedules(open: ReadonlyMap<string, Alert>, { app, schedules }: AppFacts): Judgement['fine'] {
  const there = new Set(schedules.filter(({ enabled }) => enabled).map(({ id }) => `missed_schedule:${id}`));
  return [...open.values()]
    .filter((alert) => alert.rule === 'missed_schedule' && (alert.app ?? '*') === app && !there.has(alert.cause))
    .map(({ cause }) => ({ state: 'fine', cause, because: 'The schedule is gone or switched off.' }));
}
