/** What commands about alerts share. */
import type { Alert } from '../api/alerts.ts';
import { Failure } from '../base/failure.ts';
import { argument, option } from './command.ts';
import { timeOf } from './listing.ts';
import type { RemoteContext } from './remote.ts';

export const alertArgument = argument.required('ALERT', 'id of an alert');
export const noteOptions = { note: option.text('TEXT', 'what you have to say about it') };

export const untilOptions = {
  until: option.text('T', 'until this time, with its zone'),
  for: option.duration('TIME', 'for so long, such as 2h'),
};

/** The end that one of the two says. Throws `usage`. */
export function endOf(
  { clock }: RemoteContext,
  given: { readonly until: string | undefined; readonly for: number | undefined },
): string {
  if ((given.until === undefined) === (given.for === undefined))
    throw new Failure('usage', 'Until when?', { hint: 'Say it with --until T or with --for TIME.' });
  return given.until ?? timeOf(clock.now() + given.for!);
}

/** What became of an alert, in a line. */
export async function reportAlert({ output, flags }: RemoteContext, alert: Alert, what: string): Promise<void> {
  if (flags.json) await output.summary(alert);
  else await output.line(`${what}: ${alert.title} (${alert.id})`);
}
