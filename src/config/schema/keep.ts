/** How long the service keeps its own records. The least of each is what its rules and figures look back at. */
import { DURATION_FORM, parseDuration } from '../../base/durations.ts';
import { checkedText, mapping } from './scalars.ts';

function kept(description: string, least: string) {
  const problem = (written: string) => {
    const ms = parseDuration(written);
    if (ms === undefined) return `must be ${DURATION_FORM}`;
    return ms < parseDuration(least)! ? `must be ${least} at least` : undefined;
  };
  return checkedText(`${description} At least ${least}.`, problem, {
    pattern: '^([0-9]+(ms|[smhdw]))+$',
    form: DURATION_FORM,
  });
}

export const keep = mapping({
  events: kept('Events, from which streams go on after an interruption.', '1h').default('14d'),
  logs: kept('The lines that runs logged.', '1d').default('90d'),
  runs: kept('Runs that are over, with their steps.', '90d').default('1095d'),
  figures: kept('Every measured figure; after that the last of each day.', '7d').default('30d'),
  dailyFigures: kept('The last figure of each day.', '90d').default('1095d'),
  deliveries: kept('Messages that were sent or given up.', '1d').default('90d'),
  alerts: kept('Alerts that are resolved, and mutes that are over.', '30d').default('365d'),
  approvals: kept('Approvals that were decided, and tokens that ended.', '30d').default('365d'),
})
  .describe('How long the service keeps its records. Open alerts, accounts and the audit log stay.')
  .prefault({});
