/** `holdfast user remove NAME`: an account, with all that is its own. */
import { removeUser } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';

export default defineCommand({
  details:
    'Its sessions end and its tokens open nothing any more, at once. The audit log keeps its name. The last administrator stays.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user remove ben', 'somebody who has left']],
  async run(context, { arguments: { name } }) {
    await using accounts = await openAccounts(await context.config(), context.clock);
    await accounts.remove(name);
    if (context.flags.json) await context.output.summary({ removed: name });
    else await context.output.line(`Removed ${name}.`);
    return EXIT.done;
  },
  async remote({ output, flags, server }, { arguments: { name } }) {
    await server.client.call(removeUser, { params: { user: name } });
    if (flags.json) await output.summary({ removed: name });
    else await output.line(`Removed ${name}.`);
    return EXIT.done;
  },
});
