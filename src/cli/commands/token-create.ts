/** `holdfast token create NAME`: a token for a program. */
import { EXIT, Failure } from '../../base/failure.ts';
import { openAccounts, ROLES } from '../../service/users.ts';
import { argument, defineCommand, option } from '../command.ts';

export default defineCommand({
  details:
    'The token is printed once; only its hash is kept. It may do what its role allows, for all apps or with --app for one. With --user it is that ' +
    "account's, and may never do more than the account may at that moment; without, it belongs to nobody.",
  arguments: { name: argument.required('NAME', 'what it is for') },
  options: {
    role: option.choice('ROLE', ROLES, 'what it may do'),
    user: option.text('NAME', 'the account whose rights bound it'),
    scope: option.texts('SCOPE', 'AREA:read or AREA:write, such as runs:write or *:read (default: *:write)'),
    expires: option.duration('TIME', 'how long it is good for, such as 90d (default: until it is revoked)'),
  },
  examples: [
    ['holdfast token create monitoring --role viewer --scope "*:read" --expires 365d', 'a token that only reads'],
  ],
  async run(context, { arguments: { name }, options: { role, user, scope, expires } }) {
    if (role === undefined) throw new Failure('usage', 'What may it do?', { hint: 'Say it with --role.' });
    await using accounts = await openAccounts(await context.config(), context.clock);
    const asked = { name, role, owner: user, app: context.flags.app, scopes: scope, lifetime: expires };
    const { token, record } = await accounts.createToken(asked);
    if (context.flags.json) await context.output.summary({ token, ...record });
    else {
      await context.output.line(token);
      await context.output.note('This is shown once. Keep it where only the program can read it.');
    }
    return EXIT.done;
  },
});
