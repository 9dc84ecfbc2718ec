/** `holdfast sandboxes list`: throw-away databases that workers keep. */
import { listSandboxes } from '../../api/sandboxes.ts';
import { printList } from '../listing.ts';
import { sandboxColumns } from '../sandboxes.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Those that wait, start or are there; newest first.',
  examples: [['holdfast sandboxes', 'what is there']],
  lists: true,
  async ask(context) {
    const answer = await context.server.client.call(listSandboxes, { query: context.server.app });
    await printList(context, answer, sandboxColumns, 'No sandboxes.');
  },
});
