/** `holdfast measurements NAME`: a series of sizes, durations or use over time. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listMeasurements } from '../../api/system.ts';
import { argument, option } from '../command.ts';
import { askedOf, printList, spanOptions } from '../listing.ts';
import { moment } from '../output/facts.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listMeasurements>['items'][number]>[] = [
  { title: 'TIME', value: ({ at }) => moment(at) },
  { title: 'APP', value: ({ app }) => app || '–' },
  { title: 'STORAGE', value: ({ storage }) => storage || '–' },
  { title: 'VALUE', value: ({ value }) => String(value), align: 'right' },
];

export default serviceCommand({
  details:
    'Oldest first, the newest so many. With --app only those of that app; some belong to a storage, or to nobody.',
  arguments: {
    name: argument.required(
      'NAME',
      'which measurement, such as backup_seconds, backup_stored_bytes or storage_used_bytes',
    ),
  },
  options: {
    storage: option.text('S', 'only of this storage'),
    ...spanOptions,
    limit: option.integer('N', 'at most so many (default: 1000)', 1),
  },
  examples: [['holdfast measurements backup_stored_bytes --since "30d ago" --json', 'for a chart']],
  lists: true,
  async ask(context, { arguments: { name }, options }) {
    const query = { name, ...context.server.app, ...askedOf(options) };
    await printList(
      context,
      await context.server.client.call(listMeasurements, { query }),
      COLUMNS,
      'Nothing was measured.',
    );
  },
});
