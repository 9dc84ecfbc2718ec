/** `holdfast runs cancel RUN`: stops it, or sees that it does not begin. */
import { cancelRun } from '../../api/runs.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'A run that waits is over at once; one that runs is asked to stop, and leaves nothing half-made.',
  arguments: { run: runArgument },
  examples: [['holdfast runs cancel 01m7ymtxamewa1szj5sc9zt8t1', 'not now']],
  async ask({ output, flags, server }, { arguments: { run } }) {
    const asked = await server.client.call(cancelRun, { params: { run } });
    if (flags.json) return output.summary(asked);
    await output.line(
      asked.state === 'cancelled' ? `The run ${run} is cancelled.` : `The run ${run} was asked to stop.`,
    );
  },
});
