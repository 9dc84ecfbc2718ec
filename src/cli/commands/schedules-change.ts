/** `holdfast schedules change SCHEDULE`: when and how it runs from now on. */
import { changeSchedule, getSchedule } from '../../api/schedules.ts';
import { Failure } from '../../base/failure.ts';
import { option } from '../command.ts';
import { paramsOf } from '../run-params.ts';
import { reportSchedule, scheduleArgument, scheduleId, settingOptions, settingsOf } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'What is left out stays; parameters, spans and labels that are given take the place of all that there were. A schedule of the configuration ' +
    'file is changed there.',
  arguments: { schedule: scheduleArgument },
  options: {
    cron: option.text('CRON', 'when it is due'),
    ...settingOptions,
    noTimeLimit: option.flag('a run may take as long as it takes'),
  },
  examples: [['holdfast schedules change noon --cron "30 12 * * *"', 'half an hour later']],
  async ask(context, { arguments: { schedule }, options: { cron, param, noTimeLimit, ...settings } }) {
    if (noTimeLimit && settings.timeLimit !== undefined)
      throw new Failure('usage', '--time-limit and --no-time-limit exclude each other.');
    const { client } = context.server;
    const params = { schedule: await scheduleId(context, schedule) };
    const { kind } = await client.call(getSchedule, { params });
    const given = param.length === 0 ? undefined : await paramsOf(client, kind, param);
    const body = { ...settingsOf(settings), ...(noTimeLimit && { time_limit_s: null }), cron, params: given };
    await reportSchedule(context, await client.call(changeSchedule, { params, body }), 'Changed');
  },
});
