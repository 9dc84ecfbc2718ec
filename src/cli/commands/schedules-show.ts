/** `holdfast schedules show SCHEDULE`: one schedule in full. */
import { getSchedule } from '../../api/schedules.ts';
import { printSchedule } from '../output/schedule-report.ts';
import { scheduleArgument, scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'What it runs, when it is due next, and where it is changed.',
  arguments: { schedule: scheduleArgument },
  examples: [['holdfast schedules show nightly', 'one schedule']],
  lists: true,
  async ask(context, { arguments: { schedule } }) {
    const { output, flags, server } = context;
    const params = { schedule: await scheduleId(context, schedule) };
    const found = await server.client.call(getSchedule, { params });
    if (flags.json) await output.document(found);
    else await printSchedule(output, found);
  },
});
