/** `holdfast runs list`: what ran, what runs, what waits. */
import { listRuns, RUN_STATES } from '../../api/runs.ts';
import { option } from '../command.ts';
import { askedOf, collect, pageOptions, printList, spanOptions } from '../listing.ts';
import { runColumns } from '../output/run-report.ts';
import { scheduleId } from '../schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Newest first. With --app only those of that app.',
  options: {
    kind: option.text('KIND', 'only runs of this kind, such as backup'),
    state: option.choices('STATE', RUN_STATES, 'only runs in this state (may be given several times)'),
    schedule: option.text('SCHEDULE', 'only runs of this schedule, by name or id'),
    ...spanOptions,
    ...pageOptions,
  },
  examples: [
    ['holdfast runs', 'the last fifty'],
    ['holdfast runs --state failed --since "7d ago"', 'what failed this week'],
  ],
  lists: true,
  async ask(context, { options: { limit, cursor, state, ...filter } }) {
    const { client, app } = context.server;
    const schedule = filter.schedule && (await scheduleId(context, filter.schedule));
    const page = await collect({ limit, cursor }, (place) =>
      client.call(listRuns, { query: { ...app, ...askedOf({ ...filter, schedule }), state: [...state], ...place } }),
    );
    await printList(context, page, runColumns(context.output.style), 'No runs.');
  },
});
