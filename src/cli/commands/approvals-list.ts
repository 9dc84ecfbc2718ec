/** `holdfast approvals list`: what waits, or waited, for a second person. */
import { APPROVAL_STATES, listApprovals } from '../../api/administration.ts';
import { approvalColumns } from '../approvals.ts';
import { option } from '../command.ts';
import { collect, pageOptions, printList } from '../listing.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Newest first. What takes two people is said by server.secondPerson in the configuration.',
  options: { state: option.choice('STATE', APPROVAL_STATES, 'only in this state'), ...pageOptions },
  examples: [['holdfast approvals --state pending', 'what waits']],
  lists: true,
  async ask(context, { options: { limit, cursor, state } }) {
    const page = await collect({ limit, cursor }, (place) =>
      context.server.client.call(listApprovals, { query: { state, ...place } }),
    );
    await printList(context, page, approvalColumns, 'Nothing waits for a second person.');
  },
});
