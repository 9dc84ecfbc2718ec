/** A report in words, the same on the page and on the terminal. */
import { formatDuration } from '../../base/durations.ts';
import type { ProofReport } from './report.ts';

/** What passing means, for a reader who has never seen the program. */
export const CHECK_MEANINGS: Readonly<Record<string, string>> = {
  'row counts': 'Every table was counted and compared with what was counted when the backup was made.',
  'foreign keys': 'Every row that names another row names one that exists.',
  sequences: 'The next number that a key will get is not taken.',
  extensions: 'Every extension is there and its library can be loaded.',
  collations: 'Text is ordered by the same versions of the libraries as on the original server.',
  indexes: 'Every B-tree index is in order and knows every row of its table.',
  tables: 'Every row of every table, catalogues included, is readable and well formed.',
  'page checksums': 'Every page on the disk hashes to the checksum that it carries.',
  files: 'Every restored file was read back and hashed.',
  references: 'Every file that a row names is among the files of the same point.',
  assertions: "The app's own questions to its database are answered with yes.",
  commands: "The app's own programs are content with the restored copy.",
};

const OUTCOMES: Readonly<Record<ProofReport['outcome'], readonly [string, string]>> = {
  passed: ['Proven', 'It was restored, started, looked at from every side, and thrown away again.'],
  failed: ['Not proven', 'It was restored, and something in it is wrong. See below.'],
  incomplete: [
    'Not fully looked at',
    'Nothing wrong was found, but not everything was looked at in the time there was.',
  ],
  error: ['Not restored', 'It did not come to the checks.'],
};

export function describeOutcome({ outcome, failure, checks, counts }: ProofReport): {
  headline: string;
  sentence: string;
} {
  const [headline, sentence] = OUTCOMES[outcome] ?? [outcome, ''];
  if (outcome === 'error') return { headline, sentence: failure?.message ?? sentence };
  if (outcome === 'passed' && counts.databases === 0)
    return { headline, sentence: 'It was restored, looked at, and thrown away again. It holds no database.' };
  const failed = checks.filter((check) => check.outcome === 'failed').map(({ check }) => check);
  if (failed.length === 0) return { headline, sentence };
  return { headline, sentence: `It was restored, and something is wrong: ${failed.join(', ')}.` };
}

/** `48 s; promised: 1 h (kept)`. */
export function describeRto({ rto_seconds: rto, rto_objective_seconds: promised }: ProofReport): string {
  const goal = promised === null ? 'nothing is promised' : `promised: ${formatDuration(promised * 1000)}`;
  if (rto === null) return `not measured; ${goal}`;
  const kept = promised === null ? '' : rto <= promised ? ' (kept)' : ' (broken)';
  return `${formatDuration(rto * 1000)}; ${goal}${kept}`;
}

export function describeLevel({ level, outcome, counts }: ProofReport): string {
  if (level === 'accepted') return 'accepted: restored, and content with its own checks';
  if (level === 'restored' && counts.databases === 0)
    return 'restored: its files came back and were hashed; it holds no database';
  if (level === 'restored') return 'restored: PostgreSQL started from it and its data was checked';
  return outcome === 'passed' ? 'unchanged: this kind of proof gives none' : 'unchanged';
}
