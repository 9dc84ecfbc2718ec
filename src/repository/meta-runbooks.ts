/** Reports of recoveries and drills, kept in every storage like the other books: the newest of each app. */
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from './meta.ts';
import type { Repository } from './repository.ts';

export interface StoredRunbookReport extends MetaEntry {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly app: string;
  readonly report: Readonly<Record<string, unknown>>;
}

const PER_APP = 50;
const ID = /^[0-9a-f]{16}$/;

const RUNBOOKS: MetaBook<StoredRunbookReport> = { kind: 'runbooks', parse };

/** Oldest first. */
export async function readRunbookReports(repository: Repository, app: string): Promise<readonly StoredRunbookReport[]> {
  const all = [...(await readMeta(repository, RUNBOOKS)).values()];
  return all.filter((report) => report.app === app).sort((a, b) => a.time - b.time);
}

/** Adds a report and lets the oldest of its app go. Throws when no storage takes it. */
export async function recordRunbookReport(
  repository: Repository,
  report: Omit<StoredRunbookReport, 'time'>,
): Promise<void> {
  await updateMeta(repository, RUNBOOKS, (entries, stamp) => {
    entries.set(report.id, { ...report, time: stamp(report.id) });
    const own = [...entries.values()].filter(({ app }) => app === report.app).sort((a, b) => b.time - a.time);
    for (const { id } of own.slice(PER_APP)) entries.delete(id);
  });
}

function parse(value: Readonly<Record<string, unknown>>): StoredRunbookReport | undefined {
  const { time, id, app, report } = value;
  if (typeof id !== 'string' || !ID.test(id) || typeof app !== 'string') return undefined;
  if (typeof report !== 'object' || report === null) return undefined;
  return { time: time as number, id, app, report: report as StoredRunbookReport['report'] };
}
