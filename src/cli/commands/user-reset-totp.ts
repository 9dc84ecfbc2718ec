/** `holdfast user reset-totp NAME`: log-in without codes, after an authenticator was lost. */
import { resetUserTotp } from '../../api/administration.ts';
import { argument } from '../command.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Be sure who asks for it: from now on the password alone lets in, until another authenticator is enrolled.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user reset-totp ben', 'the telephone is lost']],
  async ask({ output, flags, server }, { arguments: { name } }) {
    await server.client.call(resetUserTotp, { params: { user: name } });
    if (flags.json) await output.summary({ user: name });
    else await output.line(`${name} logs in without codes.`);
  },
});
