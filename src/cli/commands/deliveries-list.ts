/** `holdfast deliveries list`: what was sent to whom, and what became of it. */
import { DELIVERY_STATES, listDeliveries } from '../../api/alerts.ts';
import { option } from '../command.ts';
import { collect, pageOptions, printList } from '../listing.ts';
import { deliveryColumns } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Newest first. --json has what was told, too.',
  options: {
    alert: option.text('ID', 'only about this alert'),
    channel: option.text('NAME', 'only over this channel'),
    state: option.choice('STATE', DELIVERY_STATES, 'only in this state'),
    ...pageOptions,
  },
  examples: [['holdfast deliveries --state gave-up', 'what reached nobody']],
  lists: true,
  async ask(context, { options: { limit, cursor, ...filter } }) {
    const page = await collect({ limit, cursor }, (place) =>
      context.server.client.call(listDeliveries, { query: { ...filter, ...place } }),
    );
    await printList(context, page, deliveryColumns, 'Nothing was sent.');
  },
});
