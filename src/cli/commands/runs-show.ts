/** `holdfast runs show RUN`: one run in full. */
import { getRun, listRunSteps } from '../../api/runs.ts';
import { printRun, stepColumns } from '../output/run-report.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'Its state, who asked for it and why, its steps, and its error with what mends it. --json has its outcome, too.',
  arguments: { run: runArgument },
  examples: [['holdfast runs show 01m7ymtxamewa1szj5sc9zt8t1', 'one run']],
  lists: true,
  async ask({ output, flags, server }, { arguments: { run } }) {
    const found = await server.client.call(getRun, { params: { run } });
    if (flags.json) return output.document(found);
    await printRun(output, found);
    const { items } = await server.client.call(listRunSteps, { params: { run } });
    if (items.length > 0) await output.table(items, stepColumns);
  },
});
