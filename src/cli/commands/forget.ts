/** `holdfast forget POINT`: removes one point. */
import { EXIT } from '../../base/failure.ts';
import { type Id, shortId } from '../../base/ids.ts';
import { forget } from '../../operations/forget.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { type ToldFailures, told, warnOf } from '../output/failures.ts';

export default defineCommand({
  details:
    'The point is gone at once, its space is freed by the next "holdfast prune". A pinned point is refused, and so is the last good ' +
    'point of its sources on a storage. A storage that cannot be reached now loses the point with its next prune, and "holdfast sync" ' +
    'does not bring it back. It stays on record: "holdfast prune --history".',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  options: { storage: option.text('S', 'from this storage only') },
  examples: [['holdfast forget 1f0c2d3e', 'remove it from every storage']],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'See "holdfast points"; the same command can be run again.',
  async run(context, { arguments: { point }, options: { storage } }) {
    const { output, flags } = context;
    const app = (await context.config()).appName(flags.app);
    await using session = await openSession(context);
    const outcome = await forget(session, { app, point, ...(storage === undefined ? {} : { storage }) });
    return print(
      { output, flags },
      { point: outcome.point, storages: outcome.storages, failures: told(outcome.failures) },
    );
  },
  async remote(context, { arguments: { point }, options: { storage } }) {
    return print(context, await context.server.run<Forgotten>('forget', { point, storage }));
  },
});

/** The summary of `--json`. */
interface Forgotten {
  readonly point: Id;
  readonly storages: readonly string[];
  readonly failures: ToldFailures;
}

async function print({ output, flags }: Pick<Context, 'output' | 'flags'>, outcome: Forgotten): Promise<ExitStatus> {
  if (flags.json) await output.summary({ ...outcome });
  const from = outcome.storages.length > 0 ? `removed from ${outcome.storages.join(', ')}` : 'on no storage any more';
  await output.line(`${shortId(outcome.point)}: ${from}.`);
  await warnOf(output, outcome.failures);
  return Object.keys(outcome.failures).length > 0 ? EXIT.partial : EXIT.done;
}
