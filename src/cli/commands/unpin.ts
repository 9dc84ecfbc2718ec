/** `holdfast unpin POINT`: leave a point to retention again. */
import { EXIT } from '../../base/failure.ts';
import { type PinOutcome, pinPoint } from '../../operations/pin.ts';
import { argument, defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';
import { printPin } from '../pin-text.ts';

export default defineCommand({
  details: 'The next "holdfast prune" may remove the point, if no rule keeps it.',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  examples: [['holdfast unpin latest', 'retention decides again']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  left: 'See "holdfast points"; the same command can be run again.',
  async run(context, { arguments: { point } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const outcome = await pinPoint(session, app, point, false);
    return printPin({ output, flags }, outcome);
  },
  async remote(context, { arguments: { point } }) {
    return printPin(context, await context.server.run<PinOutcome>('unpin', { point }));
  },
});
