/** `holdfast user add NAME`: somebody who may log in to the service. */
import { createUser } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { openAccounts, ROLES } from '../../service/users.ts';
import { argument, defineCommand, option } from '../command.ts';
import { newPasswordOptions, readNewPassword } from '../new-password.ts';

export default defineCommand({
  details:
    'The password has 12 characters or more; it is kept as an argon2id hash. With --role the account may act for all apps, with --app too for ' +
    'that one only. A service that runs knows it at once.',
  arguments: { name: argument.required('NAME', 'letters, digits, ".", "_", "-" and "@"; the same in capitals') },
  options: {
    role: option.choice('ROLE', ROLES, 'what it may do'),
    email: option.text('ADDRESS', 'for people; nobody logs in by it'),
    ...newPasswordOptions,
  },
  examples: [
    ['holdfast user add anna --role administrator --new-password-file /root/anna', 'somebody who may do everything'],
    [
      'holdfast user add ben --role viewer --app clinic --new-password-env PASSWORD',
      'somebody who may look at one app',
    ],
  ],
  async run(context, { arguments: { name }, options: { role, email, ...where } }) {
    const password = await readNewPassword(context, where);
    await using accounts = await openAccounts(await context.config(), context.clock);
    const grant = role === undefined ? undefined : { app: context.flags.app ?? '*', role };
    const user = await accounts.add({ name, email, password, grant });
    if (context.flags.json) await context.output.summary({ user });
    else await context.output.line(`Added ${user.name}${role === undefined ? ', who may do nothing yet' : ''}.`);
    return EXIT.done;
  },
  async remote(context, { arguments: { name }, options: { role, email, ...where } }) {
    const { output, flags, server } = context;
    const password = await readNewPassword(context, where);
    const grants = role === undefined ? [] : [{ app: flags.app ?? '*', role }];
    const user = await server.client.call(createUser, { body: { name, password, grants, ...given('email', email) } });
    if (flags.json) await output.summary({ user });
    else await output.line(`Added ${user.name}${role === undefined ? ', who may do nothing yet' : ''}.`);
    return EXIT.done;
  },
});
