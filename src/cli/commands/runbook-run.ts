/** `holdfast runbook run`: the recovery itself. */
import { EXIT } from '../../base/failure.ts';
import { argument, defineCommand, option } from '../command.ts';
import { follow, NEWEST_STATE } from '../runbook.ts';

export default defineCommand({
  details:
    'Carries the steps of the runbook out for real, over the app or with --to into a new directory. Before each step it says how much of the ' +
    'objective is used and about how much is left to do; a step that takes longer than it may is told, and the escalate command is run. ' +
    'Questions are asked on the terminal; what is typed besides yes and no is kept as a note. A step that fails ends it, what was done stays ' +
    'done, and --from goes on there. The report is kept in every storage.\n\n' +
    NEWEST_STATE,
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest" (default: the newest state)') },
  options: {
    at: option.text('T', 'back to this moment instead'),
    to: option.text('DIR', 'into a new directory, on a new machine, rather than over the app'),
    from: option.integer('N', 'begin with this step: those before it are done', 1),
    yes: option.flag('answer every question with yes'),
  },
  examples: [
    ['holdfast runbook run', 'the newest state over the app, step by step'],
    ['holdfast runbook run --at "2026-11-21T10:00:00Z"', 'back to a moment'],
    ['holdfast runbook run --to /srv/recovered', 'on a new machine'],
  ],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  run: (context, { arguments: { point }, options: { at, to, from, yes } }) =>
    follow(context, 'run', { point, at, to, yes, from: from ?? 1 }),
});
