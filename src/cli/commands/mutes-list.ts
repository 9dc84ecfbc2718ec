/** `holdfast mutes list`: what nothing is sent about now. */
import { listMutes } from '../../api/alerts.ts';
import { printList } from '../listing.ts';
import { muteColumns } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Those that hold now. An alert that was muted by itself says so in "holdfast alerts show".',
  examples: [['holdfast mutes', 'what is muted']],
  lists: true,
  async ask(context) {
    await printList(context, await context.server.client.call(listMutes), muteColumns, 'Nothing is muted.');
  },
});
