/** How a proof is told to a person on the terminal. */

import { formatDuration } from '../../base/durations.ts';
import { howMany } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal, withLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { describeLevel, describeOutcome, describeRto } from '../../operations/proofs.ts';
import type { ProofReport } from '../../operations/prove.ts';
import type { Output } from './output.ts';

const SHOWN_DETAILS = 10;

export async function printProof(output: Output, report: ProofReport): Promise<void> {
  const { headline, sentence } = describeOutcome(report);
  const { style } = output;
  const paint = report.outcome === 'passed' ? style.green : report.outcome === 'incomplete' ? style.yellow : style.red;
  await output.line(`${paint(style.bold(`${headline}.`))} ${printable(sentence)}`);
  await printFacts(output, report);
  await output.line();
  await output.table(report.checks, [
    { title: 'CHECK', value: ({ check }) => check },
    { title: 'SOURCE', value: ({ source }) => source, shrinks: true },
    { title: 'OUTCOME', value: ({ outcome }) => outcome },
    { title: 'LOOKED AT', value: ({ counted, unit }) => howMany(counted, unit), align: 'right' },
    { title: 'TIME', value: ({ duration_s }) => formatDuration(duration_s * 1000), align: 'right' },
  ]);
  for (const { check, details, problems } of report.checks) {
    for (const detail of details.slice(0, SHOWN_DETAILS))
      await output.line(`${style.red('WRONG')} ${check}: ${printable(detail)}`);
    if (problems > SHOWN_DETAILS)
      await output.line(`      … and ${problems - SHOWN_DETAILS} more (--json, or the page, has them)`);
  }
  await output.line();
  await output.line('Not shown:');
  for (const each of report.not_shown) await output.line(`  ${printable(each)}`);
}

async function printFacts(output: Output, report: ProofReport): Promise<void> {
  const { moment, counts, short_id: short, point_time: time } = report;
  const state = time === null ? '' : `, ${formatUtcAndLocal(Date.parse(time))}`;
  await output.line(`  point    ${short ?? 'none'} of ${printable(report.app)}${state}`);
  if (moment !== null)
    await output.line(
      `  moment   ${withLocal(moment.asked)}, reached ${withLocal(moment.reached_time ?? moment.reached_lsn)}`,
    );
  await output.line(`  storage  ${report.storage}`);
  await output.line(`  restore  ${describeRto(report)}`);
  await output.line(
    `  data     ${howMany(counts.rows, 'rows')} in ${howMany(counts.tables, 'tables')}, ${formatBytes(counts.database_bytes)}; ${howMany(counts.files, 'files')}, ${formatBytes(counts.file_bytes)}`,
  );
  await output.line(`  level    ${describeLevel(report)}`);
  await output.line(
    `  report   ${report.id}, by ${printable(report.by)}, ${formatDuration(report.total_seconds * 1000)} altogether`,
  );
}
