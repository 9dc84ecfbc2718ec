/** Which entries of the audit log are meant. */
import { given } from '../base/given.ts';
import { option } from './command.ts';

export const auditOptions = {
  actor: option.text('WHO', 'exactly this one, such as user:anna'),
  action: option.text('WHAT', 'exactly this action, such as login'),
  outcome: option.choice('OUTCOME', ['ok', 'refused', 'failed'] as const, 'how it ended'),
  since: option.time('T', 'from this time on'),
  until: option.time('T', 'before this time'),
};

/** The same, as the API takes them. */
export function askedOf<F extends { readonly since: number | undefined; readonly until: number | undefined }>(
  filter: F,
) {
  const { since, until, ...rest } = filter;
  return { ...rest, ...given('since', timeOf(since)), ...given('until', timeOf(until)) };
}

function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}
