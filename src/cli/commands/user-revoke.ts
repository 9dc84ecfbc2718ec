/** `holdfast user revoke NAME`: what an account may do no more. */
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';

export default defineCommand({
  details:
    'The role for all apps; with --app the one for that app. Roles for other apps stay. The last administrator stays.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user revoke ben --app clinic', 'ben has no role of his own for this app']],
  async run(context, { arguments: { name } }) {
    const { output, flags } = context;
    await using accounts = await openAccounts(await context.config(), context.clock);
    const revoked = await accounts.revoke(name, flags.app ?? '*');
    const where = flags.app ?? 'all apps';
    if (flags.json) await output.summary({ user: name, revoked });
    else
      await output.line(revoked ? `${name} has no role for ${where} any more.` : `${name} had no role for ${where}.`);
    return EXIT.done;
  },
});
