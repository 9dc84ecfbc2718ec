/** `holdfast storages list`: the storages, and how they were seen last. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listStorages } from '../../api/system.ts';
import { printList } from '../listing.ts';
import { moment } from '../output/facts.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listStorages>['items'][number]>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'TYPE', value: ({ type }) => type },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'SINCE', value: ({ since }) => moment(since) },
  { title: 'SEEN', value: ({ seen_at }) => moment(seen_at) },
  { title: 'REMARK', value: ({ message }) => message ?? '', shrinks: true },
];

export default serviceCommand({
  details: 'In the order of the configuration, which is that of nearness. How they are now: "holdfast status".',
  examples: [['holdfast storages', 'which is away, and since when']],
  lists: true,
  async ask(context) {
    await printList(context, await context.server.client.call(listStorages), COLUMNS, 'No storages.');
  },
});
