/** `holdfast mutes remove MUTE`: people are told again. */
import { deleteMute } from '../../api/alerts.ts';
import { argument } from '../command.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  arguments: { mute: argument.required('MUTE', 'id of a mute') },
  examples: [['holdfast mutes remove 01m7ymtxamewa1szj5sc9zt8t1', 'before its time is over']],
  async ask({ output, flags, server }, { arguments: { mute } }) {
    await server.client.call(deleteMute, { params: { mute } });
    if (flags.json) await output.summary({ removed: mute });
    else await output.line(`The mute ${mute} has ended.`);
  },
});
