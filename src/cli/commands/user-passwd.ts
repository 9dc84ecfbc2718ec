/** `holdfast user passwd NAME`: another password, for whoever has forgotten theirs. */
import { setUserPassword } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';

export default defineCommand({
  details: 'All sessions of the account end. Its authenticator stays as it is.',
  arguments: { name: argument.required('NAME', 'the account') },
  options: newPasswordOptions,
  examples: [['holdfast user passwd anna --new-password-file /root/anna', 'a new password for anna']],
  async run(context, { arguments: { name }, options }) {
    const password = await readNewPassword(context, options);
    await using accounts = await openAccounts(await context.config(), context.clock);
    await accounts.setPassword(name, password);
    if (context.flags.json) await context.output.summary({ user: name });
    else await context.output.line(`${name} has a new password.`);
    return EXIT.done;
  },
  async remote(context, { arguments: { name }, options }) {
    const { output, flags, server } = context;
    const password = await readNewPassword(context, options);
    await server.client.call(setUserPassword, { params: { user: name }, body: { password } });
    if (flags.json) await output.summary({ user: name });
    else await output.line(`${name} has a new password.`);
    return EXIT.done;
  },
});
