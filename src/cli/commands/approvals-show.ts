/** `holdfast approvals show APPROVAL`: what would be done. */
import { getApproval } from '../../api/administration.ts';
import { approvalArgument, reportApproval } from '../approvals.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'Who asked for what, with which parameters and why.',
  arguments: { approval: approvalArgument },
  examples: [['holdfast approvals show 01m7ymtxamewa1szj5sc9zt8t1', 'before it is approved']],
  lists: true,
  async ask(context, { arguments: { approval } }) {
    const found = await context.server.client.call(getApproval, { params: { approval } });
    await reportApproval(context, found, 'document');
  },
});
