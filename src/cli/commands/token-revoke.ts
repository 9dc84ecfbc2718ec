/** `holdfast token revoke ID`: a token that opens nothing any more. */
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { openAccounts } from '../../service/users.ts';
import { argument, defineCommand } from '../command.ts';

export default defineCommand({
  details: 'It holds from the next request on, at every server.',
  arguments: { id: argument.required('ID', 'as "holdfast token list" shows it') },
  examples: [['holdfast token revoke 01jd5x0k6z8m2q4v7w9y1a3c5e', 'a token that was seen where it should not be']],
  async run(context, { arguments: { id } }) {
    await using accounts = await openAccounts(await context.config(), context.clock);
    const token = await accounts.revokeToken(id);
    if (context.flags.json) await context.output.summary({ revoked: token.id, name: token.name });
    else await context.output.line(`Revoked ${printable(token.name)}.`);
    return EXIT.done;
  },
});
