/** `holdfast alerts show ALERT`: one alert in full. */
import { getAlert } from '../../api/alerts.ts';
import { alertArgument } from '../alerts.ts';
import { printAlert } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'What is wrong since when, who has taken it, and what it holds up.',
  arguments: { alert: alertArgument },
  examples: [['holdfast alerts show 01m7ymtxamewa1szj5sc9zt8t1', 'one alert']],
  lists: true,
  async ask({ output, flags, server }, { arguments: { alert } }) {
    const found = await server.client.call(getAlert, { params: { alert } });
    if (flags.json) await output.document(found);
    else await printAlert(output, found);
  },
});
