/** `holdfast schedules enable SCHEDULE`: it runs by itself again. */
import { changeSchedule } from '../../api/schedules.ts';
import { reportSchedule, scheduleArgument, scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'What was due meanwhile is not caught up.',
  arguments: { schedule: scheduleArgument },
  examples: [['holdfast schedules enable noon', 'it runs by itself again']],
  async ask(context, { arguments: { schedule } }) {
    const params = { schedule: await scheduleId(context, schedule) };
    const changed = await context.server.client.call(changeSchedule, { params, body: { enabled: true } });
    await reportSchedule(context, changed, 'Enabled');
  },
});
