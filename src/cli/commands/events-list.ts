/** `holdfast events list`: what happened. */
import { listEvents } from '../../api/events.ts';
import { option } from '../command.ts';
import { eventOptions, printEvent } from '../events.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Oldest first. The last number goes into --after for the next ones.',
  options: { ...eventOptions, limit: option.integer('N', 'at most so many, up to 500 (default: 100)', 1) },
  examples: [['holdfast events --type alert --app clinic', 'what alarmed us, from the beginning']],
  lists: true,
  async ask({ output, flags, server }, { options: { type, ...filter } }) {
    const query = { ...server.app, ...filter, type: [...type] };
    const answer = await server.client.call(listEvents, { query });
    if (flags.json) return output.document(answer);
    for (const event of answer.items) await printEvent(output, event);
    if (answer.items.length === 0) await output.line('No events.');
  },
});
