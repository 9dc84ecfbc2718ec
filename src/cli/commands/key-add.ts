/** `holdfast key add`: one more password that opens the repository. */
import { EXIT } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { addKey } from '../../operations/keys.ts';
import { defineCommand } from '../command.ts';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Every storage gets the new key file; the passwords there are stay as they are. All storages must be reachable.',
  options: newPasswordOptions,
  examples: [['holdfast key add --new-password-file /root/second-password', 'a password for the envelope in the safe']],
  exits: [EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: '"holdfast key list" shows which passwords there are; the same command can be run again.',
  async run(context, { options }) {
    const password = await readNewPassword(context, options);
    await using session = await openSession(context);
    const id = await addKey(session, password);
    if (context.flags.json) await context.output.summary({ key: id });
    else await context.output.line(`Added key ${shortId(id)}. Make a new recovery kit: holdfast kit`);
    return EXIT.done;
  },
});
