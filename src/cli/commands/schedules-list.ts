/** `holdfast schedules list`: what runs by itself, and when. */
import { listSchedules } from '../../api/schedules.ts';
import { option } from '../command.ts';
import { collect, pageOptions, printList } from '../listing.ts';
import { scheduleColumns } from '../output/schedule-report.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'By app and name: those of the configuration file, once a service has read it, and those that were added.',
  options: {
    kind: option.text('KIND', 'only schedules of this kind of run'),
    enabled: option.choice('YES', ['yes', 'no'], 'only those that are enabled, or that are not'),
    ...pageOptions,
  },
  examples: [['holdfast schedules --app clinic', 'those of one app']],
  lists: true,
  async ask(context, { options: { limit, cursor, kind, enabled } }) {
    const { client, app } = context.server;
    const query = { ...app, kind, enabled: enabled && enabled === 'yes' };
    const page = await collect({ limit, cursor }, (place) =>
      client.call(listSchedules, { query: { ...query, ...place } }),
    );
    await printList(context, page, scheduleColumns, 'No schedules: nothing runs by itself.');
  },
});
