/** `holdfast sync`: brings the storages level and heals them. */

import { EXIT } from '../../base/failure.ts';
import { howMany } from '../../base/how-many.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type SyncOutcome, sync } from '../../operations/sync.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { type ToldFailures, told, warnOf } from '../output/failures.ts';

export default defineCommand({
  details:
    'Every storage gets what it lacks of the points of the others, and good copies of what is missing, short or damaged: as listing ' +
    'shows it, as the last "holdfast check" found it, and with --read-data as reading everything finds it. A storage that was wiped is ' +
    'rebuilt. Points that retention or "holdfast forget" removed from a storage stay away from it, unless they are pinned. What has no ' +
    'good copy anywhere is reported and left as it is (exit 4). It may be interrupted; the next run goes on. A directory is ' +
    'not filled while the disk or share is not mounted that it lay on; --moved says that it is to lie where it is now.',
  options: {
    storage: option.text('S', 'only this storage; the others are read from'),
    readData: option.flag('read everything to find damage'),
    moved: option.flag('rebuild an empty directory also where it lay on a file system that is not mounted now'),
  },
  examples: [
    ['holdfast sync', 'level all storages, heal what the last check found'],
    ['holdfast sync --storage local', 'rebuild or heal one storage'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'What was copied so far stays and is whole; the next "holdfast sync" goes on.',
  async run(context, { options: { storage, readData, moved } }) {
    await using session = await openSession(context, { create: true });
    const report = await sync(session, { readData, moved, ...(storage === undefined ? {} : { storage }) });
    return show(context, summaryOf(report));
  },
  async remote(context, { options: { storage, readData, moved } }) {
    return show(context, await context.server.run<Summary>('sync', { storage, readData, moved }));
  },
});

/** What `--json` prints. */
interface Summary {
  readonly storages: Readonly<Record<string, StorageSummary>>;
  readonly failures: ToldFailures;
  readonly remaining: SyncOutcome['remaining'];
}

interface StorageSummary {
  readonly rebuilt: boolean;
  readonly packs_copied: number;
  readonly blobs_moved: number;
  readonly bytes: number;
  readonly points_copied: number;
  readonly keys_and_indexes: number;
  readonly wal_objects_copied: number;
}

function summaryOf({ storages, failures, remaining, wal }: SyncOutcome): Summary {
  const levelled = [...storages].map(([name, it]): [string, StorageSummary] => [
    name,
    {
      rebuilt: it.rebuilt,
      packs_copied: it.packsCopied,
      blobs_moved: it.blobsMoved,
      bytes: it.bytes,
      points_copied: it.pointsCopied,
      keys_and_indexes: it.flatReplaced,
      wal_objects_copied: wal.get(name)?.copied ?? 0,
    },
  ]);
  return { storages: Object.fromEntries(levelled), failures: told(failures), remaining };
}

async function show(context: Context, summary: Summary): Promise<ExitStatus> {
  if (context.flags.json) await context.output.summary({ ...summary });
  else await printReport(context, summary);
  if (summary.remaining.length > 0) return EXIT.damaged;
  if (Object.keys(summary.failures).length === 0) return EXIT.done;
  return Object.keys(summary.storages).length > 0 ? EXIT.partial : EXIT.failed;
}

async function printReport({ output }: Context, { storages, failures, remaining }: Summary): Promise<void> {
  for (const [name, it] of Object.entries(storages)) {
    const parts = [
      it.rebuilt ? 'rebuilt' : '',
      it.packs_copied > 0 ? `${howMany(it.packs_copied, 'packs')} copied` : '',
      it.blobs_moved > 0 ? `${howMany(it.blobs_moved, 'blobs')} moved` : '',
      it.points_copied > 0 ? `${howMany(it.points_copied, 'points')} copied` : '',
      it.keys_and_indexes > 0 ? `${it.keys_and_indexes} keys and indexes copied` : '',
      it.bytes > 0 ? formatBytes(it.bytes) : '',
      it.wal_objects_copied > 0 ? `${howMany(it.wal_objects_copied, 'objects of WAL')} copied` : '',
    ].filter((part) => part !== '');
    await output.line(`${name}: ${parts.join(', ') || 'level, nothing to do'}.`);
  }
  await warnOf(output, failures);
  for (const { storage, key, detail } of remaining)
    await output.line(`${output.style.red('DAMAGED')} ${storage}: ${key}: ${detail}`);
}
