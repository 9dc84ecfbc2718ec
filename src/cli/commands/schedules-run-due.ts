/** `holdfast schedules run-due`: what is due now. */
import { runDueSchedules } from '../../api/schedules.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Evaluates all schedules and queues what is due, as the service does by itself every few seconds.',
  examples: [['holdfast schedules run-due', 'from cron, where no service runs all the time']],
  async ask({ output, flags, server }) {
    const launched = await server.client.call(runDueSchedules, { query: server.app });
    if (flags.json) return output.summary(launched);
    for (const { run } of launched.items) await output.line(`Run ${run} is queued.`);
    if (launched.items.length === 0) await output.line('Nothing is due.');
  },
});
