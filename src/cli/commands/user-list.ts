/** `holdfast user list`: who may log in, and what they may do. */
import { listUsers } from '../../api/administration.ts';
import type { AnswerOf } from '../../api/endpoint.ts';
import { EXIT } from '../../base/failure.ts';
import { openAccounts } from '../../service/users.ts';
import { defineCommand } from '../command.ts';
import type { Output } from '../output/output.ts';

type User = AnswerOf<typeof listUsers>['items'][number];

export default defineCommand({
  examples: [['holdfast user list', 'who may log in, and what they may do']],
  lists: true,
  async run({ output, flags, config, clock }) {
    await using accounts = await openAccounts(await config(), clock);
    await print(output, flags.json, await accounts.list());
    return EXIT.done;
  },
  async remote({ output, flags, server }) {
    await print(output, flags.json, (await server.client.call(listUsers)).items);
    return EXIT.done;
  },
});

async function print(output: Output, json: boolean, users: readonly User[]): Promise<void> {
  if (json) await output.document(users);
  else if (users.length === 0) await output.line('No accounts yet. "holdfast serve" prints a code for the first one.');
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
}
