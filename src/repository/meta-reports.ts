/**
 * Reports of proofs: what was done to show that a point comes back, and what came of it. Kept in every storage like the other books, found
 * again by app and point, the newest of each app only. A report is what its writer makes of it; here it is a JSON object.
 */
import { type Id, isId } from '../base/ids.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

export interface StoredReport extends MetaEntry {
  /** Names the report for ever: 16 hexadecimal digits. */
  readonly id: string;
  readonly app: string;
  /** The point that was restored; the base of the recovery where a moment was proven. */
  readonly point: Id;
  /** The storage that was read. */
  readonly storage: string;
  /** What it proved of the point; null for nothing. */
  readonly level: 'restored' | 'accepted' | null;
  readonly report: Readonly<Record<string, unknown>>;
}

/** Newest reports kept of each app. */
const PER_APP = 100;
/** Characters of all reports together, below what a book may have by a wide margin. */
const MAX_TOTAL = 24 * 1024 * 1024;
const ID = /^[0-9a-f]{16}$/;

const REPORTS: MetaBook<StoredReport> = { kind: 'reports', parse: parseReport };

/** Oldest first. */
export async function readReports(repository: Repository, app: string): Promise<readonly StoredReport[]> {
  const all = [...(await readMeta(repository, REPORTS)).values()];
  return all.filter((report) => report.app === app).sort(byTime);
}

/** Adds a report and lets the oldest go. Throws when no storage takes it. */
export async function recordReport(repository: Repository, report: Omit<StoredReport, 'time'>): Promise<void> {
  await updateMeta(repository, REPORTS, (entries, stamp) => {
    entries.set(report.id, { ...report, time: stamp(report.id) });
    for (const id of surplus([...entries.values()])) entries.delete(id);
  });
}

/** Ids of the reports that must go, so that the newest stay. The last report about each storage stays: whose turn it is depends on it. */
function surplus(reports: readonly StoredReport[]): string[] {
  const perApp = new Map<string, number>();
  const storages = new Set<string>();
  const gone: string[] = [];
  let total = 0;
  for (const report of reports.toSorted(byTime).reverse()) {
    const count = (perApp.get(report.app) ?? 0) + 1;
    perApp.set(report.app, count);
    total += JSON.stringify(report).length;
    const turn = JSON.stringify([report.app, report.storage]);
    const isLastOfStorage = !storages.has(turn);
    storages.add(turn);
    if ((count > PER_APP && !isLastOfStorage) || total > MAX_TOTAL) gone.push(report.id);
  }
  return gone;
}

function byTime(a: StoredReport, b: StoredReport): number {
  return a.time - b.time || (a.id < b.id ? -1 : 1);
}

function parseReport(value: Readonly<Record<string, unknown>>): StoredReport | undefined {
  const { time, id, app, point, storage, level, report } = value;
  if (typeof id !== 'string' || !ID.test(id) || typeof app !== 'string' || typeof storage !== 'string')
    return undefined;
  if (typeof point !== 'string' || !isId(point) || typeof report !== 'object' || report === null) return undefined;
  const shown = level === 'restored' || level === 'accepted' ? level : null;
  return { time: time as number, id, app, point, storage, level: shown, report: report as StoredReport['report'] };
}
