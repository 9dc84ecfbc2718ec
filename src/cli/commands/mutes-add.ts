/** `holdfast mutes add`: nothing is sent for a while about alerts that match. */
import { createMute, SEVERITIES } from '../../api/alerts.ts';
import { endOf, untilOptions } from '../alerts.ts';
import { option } from '../command.ts';
import { moment } from '../output/facts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'They stand in the list all the same. What is left out matches everything; --app matches one app.',
  options: {
    rule: option.text('RULE', 'only alerts of this rule'),
    storage: option.text('S', 'only alerts about this storage'),
    severity: option.choice('SEVERITY', SEVERITIES, 'only alerts of this severity'),
    ...untilOptions,
    reason: option.text('R', 'why'),
  },
  examples: [['holdfast mutes add --storage nas --for 4h --reason "moved to another rack"', 'while the disk is away']],
  async ask(context, { options: { rule, storage, severity, reason, ...end } }) {
    const { output, flags, server } = context;
    const body = { ...server.app, rule, storage, severity, reason, until: endOf(context, end) };
    const mute = await server.client.call(createMute, { body });
    if (flags.json) await output.summary(mute);
    else await output.line(`Muted until ${moment(mute.until)} (mute ${mute.id}).`);
  },
});
