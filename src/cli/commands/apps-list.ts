/** `holdfast apps list`: the apps, with their sources. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listApps } from '../../api/system.ts';
import { printList } from '../listing.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listApps>['items'][number]>[] = [
  { title: 'APP', value: ({ app }) => app },
  {
    title: 'SOURCES',
    value: ({ sources }) => sources.map(({ name, type }) => `${name} (${type})`).join(', '),
    shrinks: true,
  },
];

export default serviceCommand({
  details: 'Those that you may see, in the order of the configuration.',
  examples: [['holdfast apps', 'what is protected']],
  lists: true,
  async ask(context) {
    await printList(context, await context.server.client.call(listApps), COLUMNS, 'No apps.');
  },
});
