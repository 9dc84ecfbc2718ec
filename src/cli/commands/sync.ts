/** `holdfast sync`: brings the storages level and heals them. */
import { EXIT } from '../../base/failure.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type SyncOutcome, sync } from '../../operations/sync.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Every storage gets what it lacks of the points of the others, and good copies of what is missing, short or damaged: as listing ' +
    'shows it, as the last "holdfast check" found it, and with --read-data as reading everything finds it. A storage that was wiped is ' +
    'rebuilt. Points that retention or "holdfast forget" removed from a storage stay away from it, unless they are pinned. What has no ' +
    'good copy anywhere is reported and left as it is (exit 4). It may be interrupted; the next run goes on. A directory that is not mounted ' +
    'looks like one that was wiped: mount it first.',
  options: {
    storage: option.text('S', 'only this storage; the others are read from'),
    readData: option.flag('read everything to find damage'),
  },
  examples: [
    ['holdfast sync', 'level all storages, heal what the last check found'],
    ['holdfast sync --storage local', 'rebuild or heal one storage'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async run(context, { options: { storage, readData } }) {
    await using session = await openSession(context, { create: true });
    const report = await sync(session, { readData, ...(storage === undefined ? {} : { storage }) });
    await (context.flags.json ? printSummary(context, report) : printReport(context, report));
    return exitOf(report);
  },
});

function exitOf({ remaining, failures, storages }: SyncOutcome): ExitStatus {
  if (remaining.length > 0) return EXIT.damaged;
  if (failures.size === 0) return EXIT.done;
  return storages.size > 0 ? EXIT.partial : EXIT.failed;
}

async function printSummary({ output }: Context, { storages, failures, remaining, wal }: SyncOutcome): Promise<void> {
  const levelled = [...storages].map(([name, it]) => [
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
  await output.summary({
    storages: Object.fromEntries(levelled),
    failures: Object.fromEntries([...failures].map(([name, { code, message }]) => [name, { error: code, message }])),
    remaining,
  });
}

async function printReport({ output }: Context, { storages, failures, remaining, wal }: SyncOutcome): Promise<void> {
  for (const [name, it] of storages) {
    const parts = [
      it.rebuilt ? 'rebuilt' : '',
      it.packsCopied > 0 ? `${it.packsCopied} packs copied` : '',
      it.blobsMoved > 0 ? `${it.blobsMoved} blobs moved` : '',
      it.pointsCopied > 0 ? `${it.pointsCopied} points copied` : '',
      it.flatReplaced > 0 ? `${it.flatReplaced} keys and indexes copied` : '',
      it.bytes > 0 ? formatBytes(it.bytes) : '',
      (wal.get(name)?.copied ?? 0) > 0 ? `${wal.get(name)?.copied} objects of WAL copied` : '',
    ].filter((part) => part !== '');
    await output.line(`${name}: ${parts.join(', ') || 'level, nothing to do'}.`);
  }
  for (const { message, hint } of failures.values()) await output.warn(message, hint);
  for (const { storage, key, detail } of remaining)
    await output.line(`${output.style.red('DAMAGED')} ${storage}: ${key}: ${detail}`);
}
