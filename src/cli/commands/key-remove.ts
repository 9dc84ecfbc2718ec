/** `holdfast key remove KEY`: a password that opens the repository no more. */
import { EXIT } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { removeKey } from '../../operations/keys.ts';
import { argument, defineCommand } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'The key in use and the last key stay. Somebody who once opened the repository with the removed password may have kept its master key: ' +
    'removing a password does not take back what was read.',
  arguments: { key: argument.required('KEY', 'the first digits of its id') },
  examples: [['holdfast key remove 1f0c', 'a password that is no longer wanted']],
  exits: [EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: '"holdfast key list" shows which passwords there are; the same command can be run again.',
  async run(context, { arguments: { key } }) {
    await using session = await openSession(context);
    const id = await removeKey(session, key);
    if (context.flags.json) await context.output.summary({ removed: id });
    else await context.output.line(`Removed key ${shortId(id)}.`);
    return EXIT.done;
  },
});
