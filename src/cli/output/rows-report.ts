/** Rows for people: what a merge will do, what it did, and what differs between two moments. */
import { howMany } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import { shellCommand } from '../../base/shell-words.ts';
import type { MergeOutcome, MergePlan } from '../../operations/rows.ts';
import type { RowDifference, RowsDiffOutcome } from '../../operations/rows-diff.ts';
import type { Output } from './output.ts';

/** A value longer than this is cut when it is shown. */
const LONGEST = 60;

/** Before anything is written. */
export async function printPlan(output: Output, plan: MergePlan): Promise<void> {
  await output.table(plan.tables, [
    { title: 'TABLE', value: ({ schema, name }) => `${schema}.${name}`, shrinks: true },
    { title: 'MISSING NOW', value: ({ insert }) => String(insert), align: 'right' },
    { title: 'DIFFERENT', value: ({ conflicting }) => String(conflicting), align: 'right' },
    { title: 'THE SAME', value: ({ identical }) => String(identical), align: 'right' },
    { title: 'IN THE WAY', value: ({ blocked }) => String(blocked), align: 'right' },
  ]);
  for (const { conflicts, collisions, name, triggers, columns_new: added, columns_dropped: dropped } of plan.tables) {
    for (const { key, columns } of conflicts) {
      const changes = columns.map(
        (column) => `${printable(column.name)}: ${shown(column.was)} then, ${shown(column.is)} now`,
      );
      await output.line(`  ${printable(name)} ${record(key)}: ${changes.join('; ')}`);
    }
    for (const { key, index, value } of collisions)
      await output.line(
        `  ${printable(name)} ${record(key)} cannot come: ${record(value)} is taken (${printable(index)})`,
      );
    if (added.length > 0)
      await output.line(`  ${printable(name)}: ${list(added)} did not exist then and take their defaults`);
    if (dropped.length > 0)
      await output.line(`  ${printable(name)}: ${list(dropped)} do not exist any more and are left out`);
    for (const trigger of triggers)
      await output.line(`  ${printable(name)}: ${trigger.kind} ${printable(trigger.name)} fires`);
  }
  for (const note of plan.notes) await output.line(`  ${printable(note)}`);
}

export async function printMerged(output: Output, { plan, done }: MergeOutcome, dryRun: boolean): Promise<void> {
  if (done === undefined) {
    const nothing = plan.insert + plan.update === 0;
    await output.line(dryRun ? 'Nothing was written.' : nothing ? 'Nothing is missing: nothing was written.' : '');
    return;
  }
  const { inserted, updated, altered, sequences, reversal } = done;
  await output.line(
    `Into ${printable(plan.database)}: ${howMany(inserted, 'rows')} inserted, ${updated} made as they were.`,
  );
  if (altered > 0) await output.line(`${altered} of them were changed by triggers.`);
  if (sequences.length > 0)
    await output.line(`Sequences moved forward: ${list(sequences.map(({ sequence }) => sequence))}`);
  const undo = shellCommand(['psql', '-v', 'ON_ERROR_STOP=1', '-f', reversal, plan.database]);
  await output.line(`To undo this: ${printable(undo)}`);
}

export async function printDifference(output: Output, { kind, key, columns }: RowDifference): Promise<void> {
  const mark = { added: '+', removed: '-', changed: '~' }[kind];
  const paint = { added: output.style.green, removed: output.style.red, changed: output.style.yellow }[kind];
  const values = columns.map(({ name, was, is }) =>
    kind === 'changed'
      ? `${printable(name)}: ${shown(was)} → ${shown(is)}`
      : `${printable(name)}: ${shown(kind === 'added' ? is : was)}`,
  );
  await output.line(`${paint(mark)} ${record(key)}  ${values.join(', ')}`);
}

export async function printDiffCounts(
  output: Output,
  { table, added, removed, changed, same, columns_new: fresh, columns_dropped: dropped }: RowsDiffOutcome,
  told: number,
) {
  const left = added + removed + changed - told;
  if (left > 0) await output.line(`… and ${left} more (--all shows them)`);
  if (fresh.length > 0) await output.line(`Not compared, because they are new: ${list(fresh)}`);
  if (dropped.length > 0) await output.line(`Not compared, because they are gone: ${list(dropped)}`);
  await output.line(`${printable(table)}: ${added} added, ${removed} removed, ${changed} changed, ${same} the same.`);
}

function record(key: Readonly<Record<string, string | null>>): string {
  return Object.entries(key)
    .map(([name, value]) => `${printable(name)} = ${shown(value)}`)
    .join(', ');
}

function shown(value: string | null): string {
  if (value === null) return 'NULL';
  const text = printable(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

function list(names: readonly string[]): string {
  return names.map(printable).join(', ');
}
