/** `holdfast sandboxes show SANDBOX`: one of them, with its URL once it is ready. */
import { getSandbox } from '../../api/sandboxes.ts';
import { printSandbox, sandboxArgument } from '../sandboxes.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'The URL is that of a private socket on the machine whose worker keeps it.',
  arguments: { sandbox: sandboxArgument },
  examples: [['holdfast sandboxes show 01m7ymtxamewa1szj5sc9zt8t1', 'is it ready, and where']],
  lists: true,
  async ask({ output, flags, server }, { arguments: { sandbox } }) {
    const found = await server.client.call(getSandbox, { params: { sandbox } });
    if (flags.json) await output.document(found);
    else await printSandbox(output, found);
  },
});
