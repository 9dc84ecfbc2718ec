/** `holdfast schedules run SCHEDULE`: now. */
import { runSchedule } from '../../api/schedules.ts';
import { reportAccepted } from '../runs.ts';
import { scheduleArgument, scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'With its parameters, and what comes after it. When it is due next does not change.',
  arguments: { schedule: scheduleArgument },
  examples: [['holdfast schedules run nightly', 'not only at night']],
  async ask(context, { arguments: { schedule } }) {
    const params = { schedule: await scheduleId(context, schedule) };
    await reportAccepted(context, await context.server.client.call(runSchedule, { params }));
  },
});
