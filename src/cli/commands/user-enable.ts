/** `holdfast user enable NAME`: an account that may log in again. */
import { changeUser } from '../../api/administration.ts';
import { argument } from '../command.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'With the roles it had.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user enable ben', 'back again']],
  async ask({ output, flags, server }, { arguments: { name } }) {
    const user = await server.client.call(changeUser, { params: { user: name }, body: { disabled: false } });
    if (flags.json) await output.summary({ user });
    else await output.line(`${user.name} may log in again.`);
  },
});
