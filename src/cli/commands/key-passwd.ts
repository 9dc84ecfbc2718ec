/** `holdfast key passwd`: another password in place of the one in use. */
import { EXIT } from '../../base/failure.ts';
import { changePassword } from '../../operations/keys.ts';
import { defineCommand } from '../command.ts';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'The new key is on every storage before the old one is removed from any. Afterwards change "repository.password" in the configuration ' +
    'and print a new recovery kit.',
  options: newPasswordOptions,
  examples: [['holdfast key passwd --new-password-file /root/new-password', 'change the password']],
  exits: [EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'The old password opens the repository until the new one is everywhere. "holdfast key list" shows which there are; run it again.',
  async run(context, { options }) {
    const password = await readNewPassword(context, options);
    await using session = await openSession(context);
    const { added, removed } = await changePassword(session, password);
    if (context.flags.json) await context.output.summary({ added, removed });
    else {
      await context.output.line(`Added key ${added}, removed key ${removed}.`);
      await context.output.line(
        'Now put the new password where the configuration looks for it, and make a new recovery kit: holdfast kit',
      );
    }
    return EXIT.done;
  },
});
