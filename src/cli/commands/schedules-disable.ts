/** `holdfast schedules disable SCHEDULE`: it runs no more by itself. */
import { changeSchedule } from '../../api/schedules.ts';
import { reportSchedule, scheduleArgument, scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'It can still be run by hand.',
  arguments: { schedule: scheduleArgument },
  examples: [['holdfast schedules disable noon', 'it runs no more by itself']],
  async ask(context, { arguments: { schedule } }) {
    const params = { schedule: await scheduleId(context, schedule) };
    const changed = await context.server.client.call(changeSchedule, { params, body: { enabled: false } });
    await reportSchedule(context, changed, 'Disabled');
  },
});
