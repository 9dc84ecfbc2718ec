/** `holdfast alerts resolve ALERT`: it is over. */
import { resolveAlert } from '../../api/alerts.ts';
import { given } from '../../base/given.ts';
import { alertArgument, noteOptions, reportAlert } from '../alerts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Where it froze retention, points are removed again from now on. What is still wrong raises a new alert.',
  arguments: { alert: alertArgument },
  options: noteOptions,
  examples: [['holdfast alerts resolve 01m7ymtxamewa1szj5sc9zt8t1 --note "disk replaced"', 'it is over']],
  async ask(context, { arguments: { alert }, options: { note } }) {
    const asked = { params: { alert }, body: given('note', note) };
    await reportAlert(context, await context.server.client.call(resolveAlert, asked), 'Resolved');
  },
});
