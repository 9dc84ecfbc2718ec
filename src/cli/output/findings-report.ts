/** What was found wrong with a set-up, and what mends it. */
import { howMany } from '../../base/how-many.ts';
import type { Output } from './output.ts';

export interface Finding {
  readonly severity: 'problem' | 'remark' | 'good';
  readonly about: string;
  readonly what: string;
  readonly mend: string;
}

const MARKS = { problem: '✗', remark: '!', good: '✓' } as const;

export async function printFindings(output: Output, findings: readonly Finding[]): Promise<void> {
  const { style } = output;
  const paint = { problem: style.red, remark: style.yellow, good: style.green };
  for (const { severity, about, what, mend } of findings) {
    await output.line(`${paint[severity](MARKS[severity])} ${style.bold(about)}: ${what}`);
    if (mend !== '') await output.line(`    ${mend}`);
  }
  const problems = findings.filter(({ severity }) => severity === 'problem').length;
  await output.line(problems === 0 ? 'No problems found.' : `${howMany(problems, 'problems')} found.`);
}
