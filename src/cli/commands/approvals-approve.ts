/** `holdfast approvals approve APPROVAL`: the run begins. */
import { approve } from '../../api/administration.ts';
import { approvalArgument, DECIDING, reportApproval } from '../approvals.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: DECIDING,
  arguments: { approval: approvalArgument },
  examples: [['holdfast approvals approve 01m7ymtxamewa1szj5sc9zt8t1', 'the run begins']],
  async ask(context, { arguments: { approval } }) {
    await reportApproval(context, await context.server.client.call(approve, { params: { approval } }), 'summary');
  },
});
