/** `holdfast health list`: how well the apps are protected. */
import type { AnswerOf } from '../../api/endpoint.ts';
import { listHealth } from '../../api/system.ts';
import { printList } from '../listing.ts';
import type { Column } from '../output/output.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<AnswerOf<typeof listHealth>['items'][number]>[] = [
  { title: 'APP', value: ({ app }) => app },
  { title: 'SCORE', value: ({ score }) => String(score), align: 'right' },
  {
    title: 'WHY',
    value: ({ reasons }) => reasons.map(({ what, points }) => `${what} (-${points})`).join('; '),
    shrinks: true,
  },
];

export default serviceCommand({
  details: 'From 0 to 100, by the age of the evidence, with the reasons that cost points.',
  examples: [['holdfast health', 'a figure for each app']],
  lists: true,
  async ask(context) {
    await printList(context, await context.server.client.call(listHealth), COLUMNS, 'No apps.');
  },
});
