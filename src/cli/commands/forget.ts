/** `holdfast forget POINT`: removes one point. */
import { EXIT } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { forget } from '../../operations/forget.ts';
import { argument, defineCommand, option } from '../command.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'The point is gone at once, its space is freed by the next "holdfast prune". A pinned point is refused, and so is the last good ' +
    'point of its sources on a storage. A storage that cannot be reached now loses the point with its next prune, and "holdfast sync" ' +
    'does not bring it back. It stays on record: "holdfast prune --history".',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  options: { storage: option.text('S', 'from this storage only') },
  examples: [['holdfast forget 1f0c2d3e', 'remove it from every storage']],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async run(context, { arguments: { point }, options: { storage } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const outcome = await forget(session, { app, point, ...(storage === undefined ? {} : { storage }) });
    const failures = [...outcome.failures];
    if (flags.json) {
      await output.summary({
        ...{ point: outcome.point, storages: outcome.storages },
        failures: Object.fromEntries(failures.map(([name, { code, message }]) => [name, { error: code, message }])),
      });
    }
    const from = outcome.storages.length > 0 ? `removed from ${outcome.storages.join(', ')}` : 'on no storage any more';
    await output.line(`${shortId(outcome.point)}: ${from}.`);
    for (const [, { message, hint }] of failures) await output.warn(message, hint);
    return failures.length > 0 ? EXIT.partial : EXIT.done;
  },
});
