/** `holdfast runs steps RUN`: what it did, and how long each step took. */
import { listRunSteps } from '../../api/runs.ts';
import { printList } from '../listing.ts';
import { stepColumns } from '../output/run-report.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'In order, of all attempts.',
  arguments: { run: runArgument },
  examples: [['holdfast runs steps 01m7ymtxamewa1szj5sc9zt8t1 --json', 'for a program']],
  lists: true,
  async ask(context, { arguments: { run } }) {
    const answer = await context.server.client.call(listRunSteps, { params: { run } });
    await printList(context, answer, stepColumns, 'No steps yet.');
  },
});
