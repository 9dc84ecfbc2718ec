/** `holdfast channels test CHANNEL`: does it reach anybody. */
import { testChannel } from '../../api/alerts.ts';
import { EXIT } from '../../base/failure.ts';
import { argument } from '../command.ts';
import { printDelivery } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'Sends a message that says it is a test, and tells what the receiver answered. Ends with 1 when it was not taken.',
  arguments: { channel: argument.required('CHANNEL', 'name of a channel') },
  examples: [['holdfast channels test mail', 'before it is needed']],
  async ask({ output, flags, server }, { arguments: { channel } }) {
    const sent = await server.client.call(testChannel, { params: { channel } });
    if (flags.json) await output.summary(sent);
    else await printDelivery(output, sent);
    return sent.state === 'sent' ? EXIT.done : EXIT.failed;
  },
});
