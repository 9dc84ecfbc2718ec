/** `holdfast runbook drill`: the recovery, rehearsed. */
import { EXIT } from '../../base/failure.ts';
import { argument, defineCommand, option } from '../command.ts';
import { follow, NEWEST_STATE } from '../runbook.ts';

export default defineCommand({
  details:
    'Carries the steps of the runbook out as a rehearsal: what would restore over the app restores into a throw-away copy that is checked and ' +
    'dropped ("holdfast prove"), and what belongs to the real thing alone is left out. Each step is clocked against what it may take, and the ' +
    'whole against the objective. The report is kept in every storage.\n\n' +
    NEWEST_STATE,
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest" (default: the newest state)') },
  options: {
    at: option.text('T', 'rehearse this moment instead'),
    yes: option.flag('answer every question with yes'),
  },
  examples: [
    ['holdfast runbook drill', 'rehearse with the newest state'],
    ['holdfast runbook drill --at "1h ago"', 'rehearse going back to a moment'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  run: (context, { arguments: { point }, options: { at, yes } }) =>
    follow(context, 'drill', { point, at, yes, from: 1 }),
});
