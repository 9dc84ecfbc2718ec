/** `holdfast alerts list`: what people must know. */
import { ALERT_STATES, listAlerts, SEVERITIES } from '../../api/alerts.ts';
import { option } from '../command.ts';
import { collect, pageOptions, printList } from '../listing.ts';
import { alertColumns } from '../output/alert-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Newest first, resolved ones too. With --app only those about that app.',
  options: {
    state: option.choices('STATE', ALERT_STATES, 'only alerts in this state (may be given several times)'),
    severity: option.choices('SEVERITY', SEVERITIES, 'only alerts of this severity (may be given several times)'),
    rule: option.text('RULE', 'only alerts of this rule, such as backup_failure'),
    storage: option.text('S', 'only alerts about this storage'),
    ...pageOptions,
  },
  examples: [
    ['holdfast alerts --state ACTIVE --state ACKNOWLEDGED', 'what is wrong now'],
    ['holdfast alerts --severity CRITICAL --json', 'for a program'],
  ],
  lists: true,
  async ask(context, { options: { limit, cursor, state, severity, ...filter } }) {
    const { client, app } = context.server;
    const query = { ...app, ...filter, state: [...state], severity: [...severity] };
    const page = await collect({ limit, cursor }, (place) =>
      client.call(listAlerts, { query: { ...query, ...place } }),
    );
    await printList(context, page, alertColumns(context.output.style), 'No alerts.');
  },
});
