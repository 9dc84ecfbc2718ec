/** Which entries of the audit log are meant. */
import { option } from './command.ts';
import { spanOptions } from './listing.ts';

export const auditOptions = {
  actor: option.text('WHO', 'exactly this one, such as user:anna'),
  action: option.text('WHAT', 'exactly this action, such as login'),
  outcome: option.choice('OUTCOME', ['ok', 'refused', 'failed'] as const, 'how it ended'),
  ...spanOptions,
};
