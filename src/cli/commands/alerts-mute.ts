/** `holdfast alerts mute ALERT`: nothing is sent about it for a while. */
import { muteAlert } from '../../api/alerts.ts';
import { alertArgument, endOf, reportAlert, untilOptions } from '../alerts.ts';
import { moment } from '../output/facts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'It stays in the list, and what it freezes stays frozen. "holdfast mutes add" mutes alerts that are not there yet.',
  arguments: { alert: alertArgument },
  options: untilOptions,
  examples: [['holdfast alerts mute 01m7ymtxamewa1szj5sc9zt8t1 --for 8h', 'until the disk is there']],
  async ask(context, { arguments: { alert }, options }) {
    const until = endOf(context, options);
    const muted = await context.server.client.call(muteAlert, { params: { alert }, body: { until } });
    await reportAlert(context, muted, `Muted until ${moment(muted.muted_until)}`);
  },
});
