/** `holdfast sandboxes end SANDBOX`: nothing of it is left. */
import { endSandbox } from '../../api/sandboxes.ts';
import { sandboxArgument } from '../sandboxes.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Whatever was written in it is gone.',
  arguments: { sandbox: sandboxArgument },
  examples: [['holdfast sandboxes end 01m7ymtxamewa1szj5sc9zt8t1', 'before its time is over']],
  async ask({ output, flags, server }, { arguments: { sandbox } }) {
    const ended = await server.client.call(endSandbox, { params: { sandbox } });
    if (flags.json) await output.summary(ended);
    else await output.line(`The sandbox ${sandbox} was asked to end.`);
  },
});
