/** `holdfast runs follow RUN`: how it goes, until it is over. */
import { getRun } from '../../api/runs.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { followRun } from '../../client/follow.ts';
import { reportEnd, runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

export default serviceCommand({
  details:
    'Tells its steps and remarks as the command itself would, and ends with its status. Ctrl-C leaves the run alone.',
  arguments: { run: runArgument },
  examples: [['holdfast runs follow 01m7ymtxamewa1szj5sc9zt8t1', 'until it is over']],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async ask(context, { arguments: { run: id } }) {
    const { server, clock, progress, signal } = context;
    const run = await server.client.call(getRun, { params: { run: id } });
    const ended = await followRun({ client: server.client, clock, progress, signal }, run).catch((cause: unknown) => {
      if (!signal.aborted) throw cause;
      throw new Failure('interrupted', `Not followed any more; the run ${id} goes on.`, { cause });
    });
    return reportEnd(context, ended);
  },
});
