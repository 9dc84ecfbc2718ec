/** `holdfast wal fold`: old WAL into snapshots that restic reads. */

import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { howMany } from '../../base/how-many.ts';
import { walFold } from '../../operations/wal-fold.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import { defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'WAL that is older than wal.foldAfter, in whole segments, becomes snapshots with the tag holdfast-wal: files ' +
    '/<app>/wal/<timeline>/<segment> that "restic restore" writes out for a restore_command of "cp". They are no restore points. The loose ' +
    'pieces go, storage by storage, once the snapshot was read back from that storage and is the same. Done by "holdfast prune" and by ' +
    'the running stream as well. With --now every complete segment is folded, so that restic alone reaches as far as possible.',
  options: {
    source: option.text('S', 'by wal.foldAfter of this database; the longest of the app when left out'),
    cluster: option.text('ID', 'only this system identifier'),
    now: option.flag('do not wait for wal.foldAfter'),
  },
  examples: [['holdfast wal fold --now', 'before a move to where there is only restic']],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'What was folded so far stays; the next "holdfast wal fold" goes on.',
  async run(context, { options: { source, cluster, now } }) {
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const sources = await archivedSources(config, app, source);
    await using session = await openSession(context);
    const { snapshots, segments, removed, failures } = await walFold(session, {
      app,
      foldAfter: now ? undefined : Math.max(0, ...sources.map(({ wal }) => wal.foldAfter)),
      packing: await config.packing(),
      programVersion: context.build.version,
      ...given('systemIdentifier', cluster),
    });
    for (const { message, hint } of failures.values()) await context.output.warn(message, hint);
    await report(context, { snapshots, segments, pieces_removed: removed });
    return failures.size > 0 ? EXIT.partial : EXIT.done;
  },
  async remote(context, { options: { source, cluster, now } }) {
    if (source !== undefined || cluster !== undefined)
      throw new Failure('usage', '--source and --cluster do not work through a server.');
    await report(context, await context.server.run<Folded>('wal-fold', { now }));
    return EXIT.done;
  },
});

interface Folded {
  readonly snapshots: readonly string[];
  readonly segments: number;
  readonly pieces_removed: number;
}

async function report({ flags, output }: Context, folded: Folded): Promise<void> {
  const { snapshots, segments, pieces_removed: removed } = folded;
  if (flags.json) return output.summary({ ...folded });
  const into = `${howMany(segments, 'segments')} folded into ${howMany(snapshots.length, 'snapshots')}`;
  await output.line(`${into}, ${removed} loose pieces removed.`);
}
