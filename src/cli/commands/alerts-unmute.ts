/** `holdfast alerts unmute ALERT`: people are told of it again. */
import { muteAlert } from '../../api/alerts.ts';
import { alertArgument, reportAlert } from '../alerts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  arguments: { alert: alertArgument },
  examples: [['holdfast alerts unmute 01m7ymtxamewa1szj5sc9zt8t1', 'from now on again']],
  async ask(context, { arguments: { alert } }) {
    const { client } = context.server;
    await reportAlert(
      context,
      await client.call(muteAlert, { params: { alert }, body: { until: null } }),
      'Not muted any more',
    );
  },
});
