/** `holdfast user revoke NAME`: what an account may do no more. */
import { getUser, removeGrant } from '../../api/administration.ts';
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';
import type { Context } from '../context.ts';

export default defineCommand({
  details:
    'The role for all apps; with --app the one for that app. Roles for other apps stay. The last administrator stays.',
  arguments: { name: argument.required('NAME', 'the account') },
  examples: [['holdfast user revoke ben --app clinic', 'ben has no role of his own for this app']],
  async run(context, { arguments: { name } }) {
    const { output, flags } = context;
    await using accounts = await openAccounts(await context.config(), context.clock);
    const revoked = await accounts.revoke(name, flags.app ?? '*');
    await report({ output, flags }, name, revoked);
    return EXIT.done;
  },
  async remote({ output, flags, server }, { arguments: { name } }) {
    const app = flags.app ?? '*';
    const { grants } = await server.client.call(getUser, { params: { user: name } });
    await server.client.call(removeGrant, { params: { user: name, app } });
    await report(
      { output, flags },
      name,
      grants.some((grant) => grant.app === app),
    );
    return EXIT.done;
  },
});

async function report({ output, flags }: Pick<Context, 'output' | 'flags'>, name: string, revoked: boolean) {
  const where = flags.app ?? 'all apps';
  if (flags.json) return output.summary({ user: name, revoked });
  await output.line(revoked ? `${name} has no role for ${where} any more.` : `${name} had no role for ${where}.`);
}
