/** What `pin` and `unpin` say. */
import { EXIT } from '../base/failure.ts';
import { shortId } from '../base/ids.ts';
import type { PinOutcome } from '../operations/pin.ts';
import type { Context } from './context.ts';

function pinText({ point, pinned, changed }: PinOutcome): string {
  const state = pinned ? 'pinned' : 'not pinned';
  return changed ? `${shortId(point)} is ${state} now.` : `${shortId(point)} was ${state} already.`;
}

export async function printPin({ flags, output }: Pick<Context, 'flags' | 'output'>, outcome: PinOutcome) {
  if (flags.json) await output.summary({ ...outcome });
  else await output.line(pinText(outcome));
  return EXIT.done;
}
