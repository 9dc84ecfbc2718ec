/** `holdfast workers list`: who carries runs out. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listWorkers } from '../../api/system.ts';
import { printList } from '../listing.ts';
import { moment, pairs } from '../output/facts.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listWorkers>['items'][number]>[] = [
  { title: 'NAME', value: ({ name }) => name },
  { title: 'ROLE', value: ({ role }) => role },
  { title: 'VERSION', value: ({ version }) => version },
  { title: 'LABELS', value: ({ labels }) => pairs(labels) },
  { title: 'STARTED', value: ({ started_at }) => moment(started_at) },
  { title: 'SEEN', value: ({ seen_at }) => moment(seen_at) },
  { title: 'ID', value: ({ id }) => id, shrinks: true },
];

export default serviceCommand({
  details: 'By name, with the labels that say which apps they can reach.',
  examples: [['holdfast workers', 'who is there']],
  lists: true,
  async ask(context) {
    await printList(
      context,
      await context.server.client.call(listWorkers),
      COLUMNS,
      'Nobody: runs wait until a service or a worker is started.',
    );
  },
});
