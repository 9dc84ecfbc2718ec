/** `holdfast schedules remove SCHEDULE`: it is gone. */
import { deleteSchedule } from '../../api/schedules.ts';
import { scheduleArgument, scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Its runs stay on record. A schedule of the configuration file is removed there.',
  arguments: { schedule: scheduleArgument },
  examples: [['holdfast schedules remove noon', 'for good']],
  async ask(context, { arguments: { schedule } }) {
    const { output, flags, server } = context;
    const id = await scheduleId(context, schedule);
    await server.client.call(deleteSchedule, { params: { schedule: id } });
    if (flags.json) await output.summary({ removed: id });
    else await output.line(`Removed the schedule ${schedule}.`);
  },
});
