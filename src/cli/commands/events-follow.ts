/** `holdfast events follow`: what happens, as it happens. */
import { streamEvents } from '../../api/events.ts';
import { eventOptions, printEvent } from '../events.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'Until Ctrl-C, or until the server ends. With --after first what happened since; with --json a JSON line for each.',
  options: eventOptions,
  examples: [['holdfast events follow --type run --json', 'for a program']],
  left: 'Nothing was changed.',
  async ask({ output, flags, server }, { options: { type, ...filter } }) {
    const query = { ...server.app, ...filter, type: [...type] };
    for await (const event of server.client.events(streamEvents, { query })) {
      if (output.readerGone) return;
      if (event.seq === 0) continue; // a sign of life
      if (flags.json) await output.jsonLine('status', { ...event });
      else await printEvent(output, event);
    }
  },
});
