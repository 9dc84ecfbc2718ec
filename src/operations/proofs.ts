/** The reports of earlier proofs, as the repository keeps them, and their page. */
import { Failure } from '../base/failure.ts';
import { readReports } from '../repository/meta-reports.ts';
import { listSnapshots, pickSnapshot } from '../repository/snapshots.ts';
import { pointsOf } from './points.ts';
import { reportPage } from './prove/html.ts';
import { type ProofReport, parseProofReport } from './prove/report.ts';
import type { Session } from './session.ts';

export { describeLevel, describeOutcome, describeRto } from './prove/words.ts';

/** Oldest first. `prefix`: first digits of a point's or a report's id, `latest` for the newest report; left out for all. */
export async function listProofs(
  { repository }: Session,
  app: string,
  prefix?: string,
): Promise<readonly ProofReport[]> {
  const stored = await readReports(repository, app);
  const reports = stored.flatMap(({ report }) => parseProofReport(report) ?? []);
  if (prefix === undefined) return reports;
  if (prefix === 'latest') return reports.slice(-1);
  return reports.filter(({ id, point }) => id.startsWith(prefix) || (point?.startsWith(prefix) ?? false));
}

/** The same for a prefix that may name nothing: throws `point_unknown` when there is neither such a report nor such a point. */
export async function proofsOf(session: Session, app: string, prefix: string): Promise<readonly ProofReport[]> {
  const reports = await listProofs(session, app, prefix);
  if (reports.length === 0 && prefix !== 'latest')
    pickSnapshot(pointsOf(await listSnapshots(session.repository), app), prefix);
  return reports;
}

/** The newest of them. Throws `point_unknown`. */
export async function findProof(session: Session, app: string, prefix: string): Promise<ProofReport> {
  const found = (await listProofs(session, app, prefix)).at(-1);
  if (found !== undefined) return found;
  throw new Failure('point_unknown', `There is no report of a proof of "${prefix}".`, {
    hint: 'List them with "holdfast proofs"; make one with "holdfast prove".',
  });
}

export function proofPage(report: ProofReport): string {
  return reportPage(report);
}
