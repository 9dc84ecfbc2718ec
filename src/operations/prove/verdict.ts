/** What a proof's findings amount to: its outcome, the level that the point has by it, and what all of it does not show. */
import type { Finding } from '../../recovery/prove.ts';
import type { ProofReport } from './report.ts';

/** Checks of the app's own, beyond those that every database gets. */
const OWN_CHECKS = new Set(['assertions', 'commands']);

export interface Circumstances {
  readonly hasDatabase: boolean;
  readonly isMoment: boolean;
  readonly sample: ProofReport['sample'];
  readonly storages: ProofReport['storages'];
  /** How many checks of its own the app names. */
  readonly ownChecks: number;
}

/**
 * A moment gives its base no level: pages that recovery wrote anew hide what was wrong with the base. A sample gives `restored` where the
 * whole database was, never `accepted`: the app's own checks may want any file.
 */
export function judge(
  findings: readonly Finding[],
  { hasDatabase, isMoment, sample }: Circumstances,
): Pick<ProofReport, 'outcome' | 'level'> {
  if (findings.some(({ outcome }) => outcome === 'failed')) return { outcome: 'failed', level: null };
  if (findings.some(({ unfinished }) => unfinished > 0)) return { outcome: 'incomplete', level: null };
  if (isMoment || (sample !== null && !hasDatabase)) return { outcome: 'passed', level: null };
  const own = findings.filter(({ check }) => OWN_CHECKS.has(check));
  const isAccepted = sample === null && own.length > 0 && own.every((finding) => finding.outcome === 'passed');
  return { outcome: 'passed', level: isAccepted ? 'accepted' : 'restored' };
}

/** Whether nothing but this machine is at fault. */
export function isEnvironmentOnly(findings: readonly Finding[]): boolean {
  const failed = findings.filter(({ outcome }) => outcome === 'failed');
  return failed.length > 0 && failed.every(({ environment }) => environment);
}

export function notShown(circumstances: Circumstances, findings: readonly Finding[]): string[] {
  const { hasDatabase, isMoment, sample, storages, ownChecks } = circumstances;
  const others = Object.entries(storages).filter(([, what]) => what !== 'read');
  const says: string[] = [];
  for (const [name, what] of others) {
    const why =
      what === 'not read' ? 'was not read; its turn comes with the next proofs' : `could not be read: ${what}`;
    says.push(
      what === 'lacks the point' ? `The storage ${name} does not hold this point.` : `The storage ${name} ${why}.`,
    );
  }
  if (isMoment) {
    says.push('The point that recovery began from was not looked at as of its own moment: its level stays as it was.');
    says.push('Rows were counted, not compared: no manifest tells the rows of this moment.');
  }
  if (sample !== null)
    says.push(`Of ${sample.out_of} files ${sample.files} were drawn and restored; the others were not.`);
  if (sample !== null && ownChecks > 0)
    says.push("The app's own commands were not run, because they may need any file.");
  if (ownChecks === 0) says.push('The app names no checks of its own: that it works with this data was not tried.');
  if (!hasDatabase) says.push('There is no database in this point.');
  const unfinished = findings.filter((finding) => finding.unfinished > 0).map(({ check }) => check);
  if (unfinished.length > 0) says.push(`Not finished in time: ${unfinished.join(', ')}.`);
  says.push(
    'The time to restore is that of this machine and this storage. Noticing a disaster, deciding, and getting a machine come before it.',
  );
  return says;
}
