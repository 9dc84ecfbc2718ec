/** What commands about events share. */
import type { Event } from '../api/events.ts';
import { printable } from '../base/printable.ts';
import { formatUtcAndLocal } from '../base/relative-time.ts';
import { option } from './command.ts';
import { pairs } from './output/facts.ts';
import type { Output } from './output/output.ts';

export const eventOptions = {
  type: option.texts(
    'TYPE',
    'only of this type, such as run.finished, or run for all that begin so (may be given several times)',
  ),
  run: option.text('RUN', 'only of this run'),
  after: option.integer('N', 'only events above this number'),
};

/** A line of its own: events come one after the other. */
export async function printEvent(output: Output, { seq, at, type, app, run, data }: Event): Promise<void> {
  const about = [app, run, pairs(data)].filter((part) => part !== null && part !== '').join(' ');
  await output.line(`${seq} ${formatUtcAndLocal(Date.parse(at))} ${type} ${printable(about)}`.trimEnd());
}
