/** What commands about runs share. */
import type { AcceptedRun, Run } from '../api/runs.ts';
import { EXIT } from '../base/failure.ts';
import { failureOfRun } from '../client/follow.ts';
import type { ExitStatus } from './command.ts';
import { argument } from './command.ts';
import { printRun } from './output/run-report.ts';
import type { RemoteContext } from './remote.ts';

export const runArgument = argument.required('RUN', 'id of a run');

/** What became of asking for one. */
export async function reportAccepted({ output, flags }: RemoteContext, accepted: AcceptedRun): Promise<void> {
  const { run, approval } = accepted;
  if (flags.json) return output.summary(accepted);
  if (run === null) {
    await output.line(`A second person must agree first: the request ${approval} waits.`);
    return output.note(`Somebody else decides with "holdfast approvals approve ${approval}".`);
  }
  await output.line(`Run ${run.id}: ${run.kind} is ${run.state}.`);
  await output.note(`Follow it with "holdfast runs follow ${run.id}".`);
}

/** The end of a run that was followed, with the status of the command that it was. Throws its failure. */
export async function reportEnd({ output, flags }: RemoteContext, run: Run): Promise<ExitStatus> {
  if (flags.json) await output.summary({ run });
  else await printRun(output, run);
  if (run.state === 'succeeded') return EXIT.done;
  if (run.state === 'partial') return EXIT.partial;
  throw failureOfRun(run);
}
