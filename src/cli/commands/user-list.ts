/** `holdfast user list`: who may log in, and what they may do. */
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { defineCommand } from '../command.ts';

export default defineCommand({
  examples: [['holdfast user list', 'who may log in, and what they may do']],
  lists: true,
  async run({ output, flags, config, clock }) {
    await using accounts = await openAccounts(await config(), clock);
    const users = await accounts.list();
    if (flags.json) await output.document(users);
    else if (users.length === 0)
      await output.line('No accounts yet. "holdfast serve" prints a code for the first one.');
    else
      await output.table(users, [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'LOGS IN BY', value: ({ oidc, totp }) => (oidc ? 'provider' : totp ? 'password, code' : 'password') },
        { title: 'CREATED', value: ({ created_at }) => created_at },
        {
          title: 'MAY',
          value: ({ disabled, grants }) =>
            disabled ? '(disabled)' : grants.map(({ role, app }) => `${role} ${app}`).join(', '),
          shrinks: true,
        },
      ]);
    return EXIT.done;
  },
});
