/** `holdfast token list`: every token, and when it was used. */
import { EXIT } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { openAccounts } from '../../service/users.ts';
import { defineCommand } from '../command.ts';

export default defineCommand({
  details: 'Newest first. Use is known to the minute.',
  examples: [['holdfast token list', 'every token, and when it was used']],
  lists: true,
  async run({ output, flags, config, clock }) {
    await using accounts = await openAccounts(await config(), clock);
    const tokens = await accounts.tokens();
    const now = new Date(clock.now()).toISOString();
    if (flags.json) await output.document(tokens);
    else if (tokens.length === 0) await output.line('No tokens.');
    else
      await output.table(tokens, [
        { title: 'ID', value: ({ id }) => id },
        { title: 'NAME', value: ({ name }) => printable(name), shrinks: true },
        { title: 'OWNER', value: ({ owner }) => owner ?? '-' },
        { title: 'ROLE', value: ({ role, apps }) => `${role} ${apps.join(' ')}` },
        { title: 'USED', value: ({ used_at }) => used_at ?? 'never' },
        {
          title: 'STATE',
          value: ({ revoked_at, expires_at }) =>
            revoked_at !== null ? 'revoked' : expires_at !== null && expires_at <= now ? 'expired' : 'valid',
        },
      ]);
    return EXIT.done;
  },
});
