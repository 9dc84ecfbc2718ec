/** `holdfast approvals refuse APPROVAL`: it is not done. */
import { refuse } from '../../api/administration.ts';
import { approvalArgument, DECIDING, reportApproval } from '../approvals.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details: DECIDING,
  arguments: { approval: approvalArgument },
  examples: [['holdfast approvals refuse 01m7ymtxamewa1szj5sc9zt8t1', 'it is not done']],
  async ask(context, { arguments: { approval } }) {
    await reportApproval(context, await context.server.client.call(refuse, { params: { approval } }), 'summary');
  },
});
