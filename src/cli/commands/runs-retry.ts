/** `holdfast runs retry RUN`: the same once more. */
import { createRun, getRun } from '../../api/runs.ts';
import { given } from '../../base/given.ts';
import { option } from '../command.ts';
import { reportAccepted, runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Asks for a new run of the same kind, app and parameters. The old one stays as it is.',
  arguments: { run: runArgument },
  options: { reason: option.text('R', 'why; otherwise that of the old run') },
  examples: [['holdfast runs retry 01m7ymtxamewa1szj5sc9zt8t1', 'what failed, again']],
  async ask(context, { arguments: { run }, options }) {
    const { client } = context.server;
    const { kind, app, params, priority, reason } = await client.call(getRun, { params: { run } });
    const why = given('reason', options.reason ?? reason ?? undefined);
    const body = { kind, params, priority, ...why, ...(app === '*' ? {} : { app }) };
    await reportAccepted(context, await client.call(createRun, { body }));
  },
});
