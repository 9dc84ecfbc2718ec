/** `holdfast pin POINT`: a point that retention never removes. */
import { EXIT } from '../../base/failure.ts';
import { type PinOutcome, pinPoint } from '../../operations/pin.ts';
import { argument, defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';
import { printPin } from '../pin-text.ts';

export default defineCommand({
  details: 'Retention and "holdfast forget" leave a pinned point alone until it is unpinned.',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  examples: [['holdfast pin latest', 'keep this point whatever retention says']],
  exits: [EXIT.noRepository, EXIT.wrongPassword],
  left: 'See "holdfast points"; the same command can be run again.',
  async run(context, { arguments: { point } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const outcome = await pinPoint(session, app, point, true);
    return printPin({ output, flags }, outcome);
  },
  async remote(context, { arguments: { point } }) {
    return printPin(context, await context.server.run<PinOutcome>('pin', { point }));
  },
});
