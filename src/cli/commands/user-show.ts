/** `holdfast user show NAME`: one account. */
import { getUser } from '../../api/administration.ts';
import { argument } from '../command.ts';
import { moment, printFacts } from '../output/facts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'What it may do, and how it logs in.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user show anna', 'one account']],
  lists: true,
  async ask({ output, flags, server }, { arguments: { name } }) {
    const user = await server.client.call(getUser, { params: { user: name } });
    if (flags.json) return output.document(user);
    await printFacts(output, user.name, [
      ['id', user.id],
      ['e-mail', user.email],
      ['may', user.grants.map(({ role, app }) => `${role} ${app}`).join(', ') || 'do nothing'],
      ['logs in by', user.oidc ? 'provider' : user.totp ? 'password and code' : 'password'],
      ['disabled', user.disabled ? 'yes' : null],
      ['created', moment(user.created_at)],
    ]);
  },
});
