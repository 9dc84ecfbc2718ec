/** `holdfast user grant NAME ROLE`: what an account may do. */
import { setGrant } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { openAccounts, ROLES } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';

export default defineCommand({
  details:
    'For all apps, those of tomorrow too; with --app for one. It takes the place of the role that the account had there. A viewer looks, an ' +
    'operator also backs up and restores, an administrator also removes backups and manages accounts.',
  arguments: {
    name: argument.required('NAME', 'the account'),
    role: argument.oneOf('ROLE', ROLES, 'viewer, operator or administrator'),
  },
  examples: [['holdfast user grant ben operator --app clinic', 'ben may back up and restore this app']],
  async run(context, { arguments: { name, role } }) {
    await using accounts = await openAccounts(await context.config(), context.clock);
    const user = await accounts.grant(name, context.flags.app ?? '*', role);
    if (context.flags.json) await context.output.summary({ user });
    else await context.output.line(`${user.name} is ${role} of ${context.flags.app ?? 'all apps'}.`);
    return EXIT.done;
  },
  async remote({ output, flags, server }, { arguments: { name, role } }) {
    const params = { user: name, app: flags.app ?? '*' };
    const user = await server.client.call(setGrant, { params, body: { role } });
    if (flags.json) await output.summary({ user });
    else await output.line(`${user.name} is ${role} of ${flags.app ?? 'all apps'}.`);
    return EXIT.done;
  },
});
