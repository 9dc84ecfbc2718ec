/** `holdfast approvals refuse APPROVAL`: it is not done. */
import { refuse } from '../../api/administration.ts';
import { approvalArgument, reportApproval } from '../approvals.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'It takes another person than the one who asked: a token counts as its owner, and whoever works on the machine itself is nobody in particular. So this goes through a server, with the token of an account.',
  arguments: { approval: approvalArgument },
  examples: [['holdfast approvals refuse 01m7ymtxamewa1szj5sc9zt8t1', 'it is not done']],
  async ask(context, { arguments: { approval } }) {
    await reportApproval(context, await context.server.client.call(refuse, { params: { approval } }), 'summary');
  },
});
