/** `holdfast schedules add KIND --cron C`: something that runs by itself. */
import { createSchedule } from '../../api/schedules.ts';
import { Failure } from '../../base/failure.ts';
import { argument, option } from '../command.ts';
import { paramsOf } from '../run-params.ts';
import { reportSchedule, settingOptions, settingsOf } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'It is kept in the catalog; those of the configuration file stay there. A kind of run that takes two people cannot be added so. Without ' +
    'options: UTC, no jitter, caught up once, three retries, no time limit.',
  arguments: { kind: argument.required('KIND', 'what is run; "holdfast runs kinds" lists them') },
  options: {
    cron: option.text(
      'CRON',
      'minute, hour, day of month, month, day of week; or @hourly, @daily, @weekly, @monthly, @yearly',
    ),
    ...settingOptions,
    disabled: option.flag('not yet'),
  },
  examples: [
    [
      'holdfast schedules add backup --app clinic --name noon --cron "0 12 * * *" --timezone Europe/Madrid',
      'every noon',
    ],
  ],
  async ask(context, { arguments: { kind }, options: { cron, param, disabled, ...settings } }) {
    if (cron === undefined) throw new Failure('usage', 'When?', { hint: 'Say it with --cron.' });
    const { client, app } = context.server;
    const params = await paramsOf(client, kind, param);
    const body = { ...settingsOf(settings), ...app, kind, cron, params, enabled: !disabled };
    await reportSchedule(context, await client.call(createSchedule, { body }), 'Added');
  },
});
