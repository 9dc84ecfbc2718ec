/** `holdfast alerts acknowledge ALERT`: somebody takes care of it. */
import { acknowledgeAlert } from '../../api/alerts.ts';
import { given } from '../../base/given.ts';
import { alertArgument, noteOptions, reportAlert } from '../alerts.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'It is not escalated any more; who was told of it is told of this.',
  arguments: { alert: alertArgument },
  options: noteOptions,
  examples: [['holdfast alerts acknowledge 01m7ymtxamewa1szj5sc9zt8t1 --note "disk replaced"', 'I take care of it']],
  async ask(context, { arguments: { alert }, options: { note } }) {
    const asked = { params: { alert }, body: given('note', note) };
    await reportAlert(context, await context.server.client.call(acknowledgeAlert, asked), 'Acknowledged');
  },
});
