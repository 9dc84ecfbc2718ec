/** `holdfast user disable NAME`: an account that opens nothing for now. */
import { changeUser } from '../../api/administration.ts';
import { argument } from '../command.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Its sessions end and its tokens open nothing, at once. The last administrator stays.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user disable ben', 'somebody who is away']],
  async ask({ output, flags, server }, { arguments: { name } }) {
    const user = await server.client.call(changeUser, { params: { user: name }, body: { disabled: true } });
    if (flags.json) await output.summary({ user });
    else await output.line(`${user.name} is disabled.`);
  },
});
