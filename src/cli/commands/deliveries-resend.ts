/** `holdfast deliveries resend DELIVERY`: once more. */
import { resendDelivery } from '../../api/alerts.ts';
import { argument } from '../command.ts';
import { printDelivery } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'The service sends it; "holdfast deliveries" tells what became of it.',
  arguments: { delivery: argument.required('DELIVERY', 'id of a delivery') },
  examples: [['holdfast deliveries resend 01m7ymtxamewa1szj5sc9zt8t1', 'the mail server is back']],
  async ask({ output, flags, server }, { arguments: { delivery } }) {
    const queued = await server.client.call(resendDelivery, { params: { delivery } });
    if (flags.json) await output.summary(queued);
    else await printDelivery(output, queued);
  },
});
