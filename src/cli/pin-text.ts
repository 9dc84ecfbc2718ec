/** What `pin` and `unpin` say. */
import { shortId } from '../base/ids.ts';
import type { PinOutcome } from '../operations/pin.ts';

export function pinText({ point, pinned, changed }: PinOutcome): string {
  const state = pinned ? 'pinned' : 'not pinned';
  return changed ? `${shortId(point)} is ${state} now.` : `${shortId(point)} was ${state} already.`;
}
