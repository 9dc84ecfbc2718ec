/** `holdfast approvals cancel APPROVAL`: what one asked for is not wanted any more. */
import { withdraw } from '../../api/administration.ts';
import { approvalArgument, reportApproval } from '../approvals.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: 'By whoever asked for it, or whoever might have approved it.',
  arguments: { approval: approvalArgument },
  examples: [['holdfast approvals cancel 01m7ymtxamewa1szj5sc9zt8t1', 'what one asked for is not wanted any more']],
  async ask(context, { arguments: { approval } }) {
    await reportApproval(context, await context.server.client.call(withdraw, { params: { approval } }), 'summary');
  },
});
